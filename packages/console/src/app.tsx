import { useEffect, useState } from 'react'
import { getSession, type Session } from './lib/api.ts'
import { languageAtFirst, keepLanguage, WordsContext, words, type Language } from './lib/words.ts'
import { Home } from './pages/home/home.tsx'
import { TopBar } from './parts/top-bar.tsx'

/** The frame of all pages: language, project, and the page below. There is one page so far. */
export const App = () => {
  const [language, setLanguage] = useState<Language>(languageAtFirst)
  const session = useSession()
  useEffect(() => {
    document.documentElement.lang = language
    keepLanguage(language)
  }, [language])
  return (
    <WordsContext value={words[language]}>
      <TopBar project={session === 'signed-out' ? null : session} language={language} onLanguage={setLanguage} />
      {session === 'signed-out' ? <SignedOut language={language} /> : session && <Home />}
    </WordsContext>
  )
}

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
