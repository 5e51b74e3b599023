import { useEffect, useState } from 'react'

export type PageName = 'now' | 'sources'

const pageAt = (hash: string): PageName => (hash === '#/sources' ? 'sources' : 'now')

/** The page that the address names; it follows the browser's own way back. */
export const usePage = (): PageName => {
  const [page, setPage] = useState<PageName>(() => pageAt(location.hash))
  useEffect(() => {
    const follow = (): void => setPage(pageAt(location.hash))
    window.addEventListener('hashchange', follow)
    return () => window.removeEventListener('hashchange', follow)
  }, [])
  return page
}
