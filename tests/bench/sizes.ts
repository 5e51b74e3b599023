import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startMillrace, type Millrace } from '../support/millrace.ts'
import { p50p99, type Figures } from './figures.ts'
import { load } from './load.ts'
import { benchMerges } from './merges.ts'
import { backlogOf, eventLoopMaxMs, untilDrained, untilStored, waitingText } from './product.ts'
import { cpuMicros, cpuPercent, diskMb, memoryOf, sleep } from './watch.ts'

const READS = 1_000
const SETTLE_MS = 15_000

/** One row of the README's table of sizes. */
export interface Size {
  readonly people: number
  readonly events: number
  readonly diskMb: number
  readonly ownMb: number
  readonly residentMb: number
  readonly loadSeconds: number
  readonly startSeconds: number
  readonly cpuMicros: number
}

/** Loads events of a month through HTTP, then looks at what they take, and starts again on that folder. */
export const benchSize = async (figures: Figures, { people, events, merges }: { readonly people: number; readonly events: number; readonly merges: boolean }): Promise<Size> => {
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  const group = `${events.toLocaleString('en-US')} events of ${people.toLocaleString('en-US')} people`
  const add = (name: string, value: number | string, unit: string, how: string): void => figures.add(group, name, value, unit, how)
  let millrace = await startMillrace({ dataDir })
  try {
    const before = cpuMicros(millrace.pid)
    const startedAt = performance.now()
    await eventLoopMaxMs(millrace)
    await load({ url: millrace.url, writeKey: millrace.writeKey, run: 'r', people, batch: 100, connections: 16, events, daysBack: 30 })
    await untilStored(millrace, events)
    const loadSeconds = (performance.now() - startedAt) / 1000
    const stallMs = await eventLoopMaxMs(millrace)
    const left = await backlogOf(millrace)
    await untilDrained(millrace)
    const drainedSeconds = (performance.now() - startedAt) / 1000 - loadSeconds
    // Merges of parts come a little behind.
    await sleep(SETTLE_MS)
    const micros = (cpuMicros(millrace.pid) - before) / events
    add('whole path, first byte to SQL', events / loadSeconds, 'events/s', 'batches of 100, 16 connections, as fast as answered; the sender shares the cores')
    add('whole path, CPU', micros, 'µs/event', `all consumers and ClickHouse, ${SETTLE_MS / 1000} s afterwards included`)
    add('everything else handled', drainedSeconds, 's after that', `when all events are in SQL there still wait: ${waitingText(left)}`)
    add('longest stall of the event loop', stallMs, 'ms', 'while loading at full speed')
    const memory = memoryOf(millrace.pid)
    add('memory after loading', `${memory.ownMb} / ${memory.residentMb} / ${memory.peakMb}`, 'MB', 'own / with mapped files / peak')
    const disk = diskMb(dataDir)
    add('disk', `${disk} (log ${diskMb(join(dataDir, 'log'))}, ClickHouse ${diskMb(join(dataDir, 'warehouse'))})`, 'MB', `${Math.round((disk * 2 ** 20) / events)} bytes an event`)
    add('profile read, p50 / p99', p50p99(await readProfiles(millrace, people)), 'ms', `${READS} × GET /api/profiles?userId=…, one after the other, HTTP included`)
    if (merges) await benchMerges(millrace, { people, events, add })
    await millrace.stop()
    const restartedAt = performance.now()
    millrace = await startMillrace({ dataDir })
    const startSeconds = (performance.now() - restartedAt) / 1000
    add('start on that folder', startSeconds, 's', 'process start to /readyz')
    await sleep(SETTLE_MS)
    add('idle', await cpuPercent(millrace.pid, 10_000), '% of one core', '10 s without events')
    const idle = memoryOf(millrace.pid)
    add('memory after start', `${idle.ownMb} / ${idle.residentMb}`, 'MB', 'own / with mapped files')
    return { people, events, diskMb: disk, ownMb: memory.ownMb, residentMb: memory.residentMb, loadSeconds, startSeconds, cpuMicros: micros }
  } finally {
    await millrace.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

const readProfiles = async (millrace: Millrace, people: number): Promise<readonly number[]> => {
  const times: number[] = []
  for (let read = 0; read < READS; read++) {
    // A stride that is prime to the number of people visits them in no order.
    const person = (read * 7919) % people
    const at = performance.now()
    await millrace.api(`/api/profiles?userId=r-u${person}`)
    times.push(performance.now() - at)
  }
  return times
}

/** Markdown for the README. */
export const sizesTable = (sizes: readonly Size[]): string => [
  '| people | events | disk | memory (own / with mapped files) | loaded in | started in |',
  '|---:|---:|---:|---:|---:|---:|',
  ...sizes.map((size) =>
    `| ${size.people.toLocaleString('en-US')} | ${size.events.toLocaleString('en-US')} | ${size.diskMb.toLocaleString('en-US')} MB | ${size.ownMb.toLocaleString('en-US')} / ${size.residentMb.toLocaleString('en-US')} MB | ${Math.round(size.loadSeconds)} s | ${size.startSeconds.toFixed(1)} s |`),
].join('\n')
