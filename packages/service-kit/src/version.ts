import { readFileSync } from 'node:fs'

/** Of this build. */
export const millraceVersion = (): string =>
  (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version
