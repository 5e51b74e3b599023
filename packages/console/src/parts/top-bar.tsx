import type { Session } from '../lib/api.ts'
import type { PageName } from '../lib/page.ts'
import { useWords, type Language } from '../lib/words.ts'

/** Name of the product, of the project, the pages, and the switch of the language. */
export const TopBar = ({ project, page, language, onLanguage }: {
  readonly project: Session | null
  readonly page: PageName
  readonly language: Language
  readonly onLanguage: (language: Language) => void
}) => {
  const text = useWords()
  return (
    <header className="top-bar">
      <a className="brand" href="/">
        <img src="/mark.svg" alt="" width="28" height="28" />
        <span>Millrace</span>
      </a>
      {project && <span className="project">{project.project.name}</span>}
      {project?.role === 'admin' && (
        <nav className="pages">
          {PAGES.map(([name, address]) => (
            <a key={name} href={address} aria-current={name === page ? 'page' : undefined}>{text[name]}</a>
          ))}
        </nav>
      )}
      <div className="languages" role="group" aria-label={text.language}>
        {LANGUAGES.map(([code, name]) => (
          <button key={code} type="button" lang={code} aria-pressed={code === language} onClick={() => onLanguage(code)}>
            {name}
          </button>
        ))}
      </div>
    </header>
  )
}

const PAGES: readonly (readonly [PageName, string])[] = [['now', '#/'], ['sources', '#/sources']]
const LANGUAGES: readonly (readonly [Language, string])[] = [['en', 'English'], ['zh', '中文']]
