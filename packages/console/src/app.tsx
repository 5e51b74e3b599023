import { useEffect, useState } from 'react'
import { getSession, type Session } from './lib/api.ts'
import { languageAtFirst, keepLanguage, WordsContext, words, type Language } from './lib/words.ts'
import { usePage, type PageName } from './lib/page.ts'
import { Home } from './pages/home/home.tsx'
import { Sources } from './pages/sources/sources.tsx'
import { TopBar } from './parts/top-bar.tsx'

/** The frame of all pages: language, project, and the page below. Pages are told apart by the hash, so that the server knows of one only. */
export const App = () => {
  const [language, setLanguage] = useState<Language>(languageAtFirst)
  const session = useSession()
  const page = usePage()
  useEffect(() => {
    document.documentElement.lang = language
    keepLanguage(language)
  }, [language])
  return (
    <WordsContext value={words[language]}>
      <TopBar project={session === 'signed-out' ? null : session} page={page} language={language} onLanguage={setLanguage} />
      {session === 'signed-out' ? <SignedOut language={language} /> : session && <Page name={session.role === 'admin' ? page : 'now'} />}
    </WordsContext>
  )
}

const Page = ({ name }: { readonly name: PageName }) => (name === 'sources' ? <Sources /> : <Home />)

const SignedOut = ({ language }: { language: Language }) => (
  <main className="notice">
    <h1>{words[language].signedOutTitle}</h1>
    <p>{words[language].signedOutText}</p>
  </main>
)

const useSession = (): Session | 'signed-out' | null => {
  const [session, setSession] = useState<Session | 'signed-out' | null>(null)
  useEffect(() => {
    getSession().then(setSession, () => setSession('signed-out'))
  }, [])
  return session
}
