import { type Finding, findings } from './findings.ts'
import { gather } from './gather.ts'
import { PLACE_HELP, placeOf, readFlags } from './place.ts'
import { type Verb, WrongUsage } from './usage.ts'

const HELP = `Usage: npm run ops -- doctor [options]

What is wrong, and what to do: asks /readyz, /metrics and the ledger of each process, the engines of a stack,
the clocks, the disk (--data-dir), and looks twice to see consumers that stand still. Changes nothing.
Exit code 1 when something is wrong.

${PLACE_HELP}  --watch SECONDS    between the two looks, 1 to 300 (5)
  --json             findings, and all that was gathered
`

export const doctor: Verb = {
  help: HELP,
  run: async (args, terminal) => {
    const flags = readFlags(args, { watch: { type: 'string' }, json: { type: 'boolean' } })
    const seconds = Number(flags.watch ?? 5)
    if (!(seconds >= 1 && seconds <= 300)) throw new WrongUsage('--watch must be between 1 and 300 seconds')
    const gathered = await gather(await placeOf(flags, terminal.env), seconds * 1000)
    const found = findings(gathered)
    terminal.out(flags.json ? JSON.stringify({ findings: found, gathered }) : findingsText(found))
    return found.some(({ severity }) => severity === 'wrong') ? 1 : 0
  },
}

const findingsText = (found: readonly Finding[]): string => {
  const wrong = found.filter(({ severity }) => severity === 'wrong').length
  const lines = found.map(({ severity, what, todo }) => `${severity === 'wrong' ? 'WRONG' : 'note '}  ${what}\n       → ${todo}`)
  return [...lines, wrong === 0 ? 'Nothing is wrong.' : `${wrong} ${wrong === 1 ? 'thing is' : 'things are'} wrong.`].join('\n')
}
