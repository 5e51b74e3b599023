import { type Verb, WrongUsage } from './usage.ts'

/** Loaded when asked for: some bring engines along. */
const VERBS: Readonly<Record<string, () => Promise<Verb>>> = {
  doctor: async () => (await import('./doctor.ts')).doctor,
  lag: async () => (await import('./lag.ts')).lag,
  ledger: async () => (await import('./ledger.ts')).ledger,
  replay: async () => (await import('./replay.ts')).replay,
  backup: async () => (await import('./backup.ts')).backup,
  rebuild: async () => (await import('./rebuild.ts')).rebuild,
  restore: async () => (await import('./restore.ts')).restore,
}

const HELP = `Usage: npm run ops -- VERB [options]

  doctor    what is wrong, and what to do
  lag       how far each consumer is
  ledger    what was received and what became of it
  replay    send refused events again
  backup    copy the data folder of one process, stopped or running
  rebuild   make a month of the aggregates anew
  restore   make a data folder of a backup

Each has --help. Exit codes: 0 good, 1 something is wrong, 2 wrong usage.
`

const main = async ([name, ...args]: readonly string[]): Promise<number> => {
  if (name === undefined || name === '--help' || name === 'help') {
    process.stdout.write(HELP)
    return name === undefined ? 2 : 0
  }
  if (!Object.hasOwn(VERBS, name)) throw new WrongUsage(`There is no ${name}: there are ${Object.keys(VERBS).join(', ')}.`)
  const verb = await VERBS[name]!()
  if (args.includes('--help')) {
    process.stdout.write(verb.help)
    return 0
  }
  return verb.run(args, { env: process.env, out: (text) => console.log(text), err: (text) => console.error(text) })
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = error instanceof WrongUsage ? 2 : 1
}
