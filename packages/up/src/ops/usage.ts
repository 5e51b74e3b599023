/** The command line asks for something that there is not; one sentence, exit code 2. */
export class WrongUsage extends Error {
  override readonly name = 'WrongUsage'
}

/** What a verb is handed: nothing else of the process. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>
  out(text: string): void
  err(text: string): void
}

/** One verb of `npm run ops`. Exit codes: 0 good, 1 something is wrong, 2 wrong usage. */
export interface Verb {
  readonly help: string
  run(args: readonly string[], terminal: Terminal): Promise<number>
}
