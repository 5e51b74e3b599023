import { startProgress, type Progress } from '../door/progress.ts'
import { openMessages } from '../messages.ts'
import { isStack, stackAt } from '../stack/where.ts'
import { requireFolder } from './open-log.ts'
import { REPLAY_HELP, replayOptions } from './options.ts'
import { finishFolder } from './programs.ts'
import { isSame, replay, type ReplayResult } from './replay.ts'
import { requireEmpty } from './target.ts'

const main = async (): Promise<number> => {
  const options = replayOptions(process.argv.slice(2))
  if (!options) {
    process.stdout.write(REPLAY_HELP)
    return 0
  }
  if (!isStack(options.to)) await requireEmpty(options.to)
  if ((await stackAt(options.from, process.env)) === null) {
    await requireFolder(options.from)
    // What a kill left unhandled is recorded nowhere else, so the folder comes to its end first.
    if ((await finishFolder(options.from)) !== 0) return 1
  }
  const { logger } = openMessages('warn', null, (line) => console.error(line))
  const startedAt = performance.now()
  let progress: Progress | undefined
  const result = await replay(options, process.env, {
    logger,
    copied: ({ records }) => console.log(`Copied ${shown(records)} records in ${secondsSince(startedAt)} s.`),
    moved: (done, total) => (progress ??= startProgress('Folding again', total, process.stderr, 'records')).moved(done, done),
  })
  progress?.end()
  report(result, `${options.from} → ${options.to}`, secondsSince(startedAt))
  return isSame(result.resolved, result.again) ? 0 : 1
}

const report = ({ records, resolved, again, told }: ReplayResult, where: string, seconds: string): void => {
  const events = resolved.events.reduce((sum, count) => sum + count, 0)
  const anew = Object.entries(told).map(([topic, count]) => `${shown(count)} of ${topic}`)
  console.log(`Replayed ${shown(events)} events and ${shown(resolved.repeats)} repeats (${shown(records)} records) in ${seconds} s: ${where}`)
  console.log(`Records told anew: ${anew.join(', ')}.`)
  if (isSame(resolved, again)) return
  console.error('The replay differs from what was recorded: resolve passed on other events this time.')
  console.error(`  recorded: events by partition ${resolved.events.join(', ')}; repeats ${resolved.repeats}`)
  console.error(`  again:    events by partition ${again.events.join(', ')}; repeats ${again.repeats}`)
}

const shown = (count: number): string => count.toLocaleString('en')
const secondsSince = (startedAt: number): string => ((performance.now() - startedAt) / 1000).toFixed(1)

try {
  process.exitCode = await main()
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
