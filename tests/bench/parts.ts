import { join } from 'node:path'
import { measureFold } from '../../services/profile-builder/test/fold-measure.ts'
import { measureRepeats, measureRepeatsOnDisk } from '../../services/profile-builder/test/repeats/measure.ts'
import { measureResolve } from '../../services/profile-builder/test/resolve/measure.ts'
import { measureSegmentation } from '../../services/segmentation/test/measure.ts'
import { root } from '../tidy/source-tree.ts'
import type { Figures } from './figures.ts'
import { outputOf } from './output-of.ts'

export interface PartSizes {
  readonly ids: number
  readonly users: number
  readonly folded: number
  readonly sunk: number
}

/** Each consumer by itself, in memory: CPU time, which a busy machine changes little. */
export const benchParts = async (figures: Figures, { ids, users, folded, sunk }: PartSizes): Promise<void> => {
  const repeats = measureRepeats(ids)
  const of = `${ids.toLocaleString('en-US')} ids over 7 days`
  figures.add('repeats', 'memory', repeats.memoryBytesPerId, 'bytes/id', of)
  figures.add('repeats', 'disk', await measureRepeatsOnDisk(ids), 'bytes/id', 'growth of the embedded store')
  figures.add('repeats', 'a new id', repeats.microsPerId, 'µs CPU', of)
  figures.add('repeats', 'a known id', repeats.microsPerRepeat, 'µs CPU', of)

  const resolve = await measureResolve(users, 10)
  const known = `${users.toLocaleString('en-US')} users, 10 events each`
  figures.add('resolve', 'an event', resolve.microsPerEvent, 'µs CPU', known)
  figures.add('identity', 'facts', resolve.factsPerSecond, 'facts/s of CPU', known)
  figures.add('identity', `one more link, ${users.toLocaleString('en-US')} people known`, resolve.microsPerLink, 'µs CPU', 'the decision alone')

  const fold = await measureFold(folded)
  figures.add('fold', 'an event', fold.microsPerEvent, 'µs CPU', `${folded.toLocaleString('en-US')} events of 2,000 people`)
  figures.add('fold', 'a row of the table of profiles', fold.microsPerSnapshotRow, 'µs CPU', `a person of ${fold.documentEvents} events, ${fold.documentBytes} bytes`)

  // Compilers warm up first.
  await measureSegmentation(1)
  for (const rules of [0, 1, 20]) figures.add('segmentation', `an event, ${rules} rules`, (await measureSegmentation(rules)).usPerEvent, 'µs CPU', '20,000 events of 2,000 people, rules over windows of 1 to 30 days')

  await benchSink(figures, sunk)
}

/** services/metrics/bench/sink.mjs prints its figures as lines of text. */
const benchSink = async (figures: Figures, events: number): Promise<void> => {
  const text = await outputOf(join(root, 'services/metrics/bench/sink.mjs'), [String(events)])
  const [, rows, micros] = /^sink: (\d+) rows\/s, ([\d.]+) µs/m.exec(text) ?? []
  const how = `${events.toLocaleString('en-US')} events from the log into chDB, alone in a process`
  figures.add('sink', 'rows into ClickHouse', Number(rows), 'rows/s', how)
  figures.add('sink', 'an event', Number(micros), 'µs CPU', `${how}, merging of parts included`)
  for (const [, name, ms] of text.matchAll(/^([^:\n]+): as asked (\d+) ms/gm)) figures.add('questions', name!, Number(ms), 'ms', `${events.toLocaleString('en-US')} events, 90 days, alone in a process`)
}
