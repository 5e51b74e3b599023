/**
 * Whether a page of this origin may send. Allowed are origins as a source's settings keep them, `https://*.shop.example` for every
 * name below; an empty list allows all. A request without Origin is no page's, and passes: the list keeps other
 * people's pages out, not programs, which write what they like.
 */
export const isOriginAllowed = (origin: string | undefined, allowed: readonly string[]): boolean =>
  origin === undefined || allowed.length === 0 || allowed.some((pattern) => covers(pattern, origin.toLowerCase()))

const WILDCARD = '://*.'

const covers = (pattern: string, origin: string): boolean => {
  if (!pattern.includes(WILDCARD)) return pattern === origin
  const [scheme = '', domain = ''] = pattern.split(WILDCARD)
  const [start, end] = [`${scheme}://`, `.${domain}`]
  if (!origin.startsWith(start) || !origin.endsWith(end)) return false
  return /^[^/@:\\]+$/.test(origin.slice(start.length, -end.length))
}
