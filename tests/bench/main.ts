import { execFileSync } from 'node:child_process'
import { createFigures, loadNow, machine } from './figures.ts'
import { benchIngest } from './ingest.ts'
import { benchInstall } from './install.ts'
import { benchLatency } from './latency.ts'
import { benchParts } from './parts.ts'
import { benchSize, sizesTable, type Size } from './sizes.ts'
import { benchWirings } from './wirings.ts'

const FULL = {
  parts: { ids: 1_000_000, users: 100_000, folded: 100_000, sunk: 500_000 },
  ingest: { warm: 5, measured: 5 },
  latencySeconds: 30,
  wirings: { events: 300_000, steadySeconds: 300, backlog: 100_000, links: 50_000 },
  sizes: [{ people: 10_000, events: 100_000, merges: false }, { people: 100_000, events: 1_000_000, merges: true }],
}
const QUICK: typeof FULL = {
  parts: { ids: 200_000, users: 5_000, folded: 30_000, sunk: 50_000 },
  ingest: { warm: 2, measured: 2 },
  latencySeconds: 10,
  wirings: { events: 40_000, steadySeconds: 20, backlog: 10_000, links: 5_000 },
  sizes: [{ people: 2_000, events: 20_000, merges: true }],
}

const PARTS = ['parts', 'ingest', 'latency', 'sizes', 'wirings', 'install'] as const
type Part = (typeof PARTS)[number]

/**
 * Prints each figure when it is known and all of them as one table at the end.
 * @param args `--quick` for smaller sizes; names of parts, all of them unless some are named
 * @returns the exit code
 */
export const main = async (args: readonly string[]): Promise<number> => {
  const print = (line: string): void => console.log(line)
  const unknown = args.filter((arg) => arg !== '--quick' && !PARTS.includes(arg as Part))
  if (unknown.length > 0) {
    console.error(`Unknown: ${unknown.join(', ')}. There are --quick and ${PARTS.join(', ')}.`)
    return 1
  }
  const named = args.filter((arg) => arg !== '--quick')
  const wanted = (part: Part): boolean => (named.length === 0 ? part !== 'install' || process.env['MILLRACE_BENCH_INSTALL'] === '1' : named.includes(part))
  const sizes = args.includes('--quick') ? QUICK : FULL
  const figures = createFigures(print)
  const startedAt = performance.now()
  print(`${machine()}${args.includes('--quick') ? ', --quick' : ''}\n`)
  if (wanted('parts')) await benchParts(figures, sizes.parts)
  if (wanted('ingest')) await benchIngest(figures, sizes.ingest)
  if (wanted('latency')) await benchLatency(figures, sizes.latencySeconds)
  const measured: Size[] = []
  if (wanted('sizes')) for (const size of sizes.sizes) measured.push(await benchSize(figures, size))
  if (wanted('wirings')) await benchWirings(figures, sizes.wirings)
  if (wanted('install')) await benchInstall(figures)

  print(`\n${figures.table()}\n`)
  if (measured.length > 0) print(`${sizesTable(measured)}\n`)
  if (measured.length > 1) print(`CPU an event, ${measured.at(-1)!.events.toLocaleString('en-US')} to ${measured[0]!.events.toLocaleString('en-US')} events: ${(measured.at(-1)!.cpuMicros / measured[0]!.cpuMicros).toFixed(2)}\n`)
  print(`${new Date().toISOString().slice(0, 10)}, ${commit()}, ${machine()}; load average at the end ${loadNow()}; ${Math.round((performance.now() - startedAt) / 1000)} s`)
  return 0
}

const commit = (): string => {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  } catch {
    return 'no commit'
  }
}
