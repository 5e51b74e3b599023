import { createContext, use } from 'react'
import { en } from './words-en.ts'
import { zh } from './words-zh.ts'

export type Language = 'en' | 'zh'

/** Every text of the console. English names the keys; a language that lacks one does not compile. */
export type Words = { readonly [Key in keyof typeof en]: string }

export const words: Readonly<Record<Language, Words>> = { en, zh }

export const WordsContext = createContext<Words>(en)
export const useWords = (): Words => use(WordsContext)

const STORED = 'millrace.language'

/** What the person chose last, else what the browser speaks. */
export const languageAtFirst = (): Language => {
  const stored = localStorage.getItem(STORED)
  if (stored === 'en' || stored === 'zh') return stored
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en'
}

export const keepLanguage = (language: Language): void => localStorage.setItem(STORED, language)

/** For numbers and times. */
export const localeOf = (language: string): string => (language === 'zh' ? 'zh-CN' : 'en-GB')
