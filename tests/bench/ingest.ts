import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WRITE_KEY } from '../support/millrace.ts'
import type { Figures } from './figures.ts'
import { load, type Loaded } from './load.ts'
import { cpuMicros, memoryOf } from './watch.ts'

const PARTS = [
  { name: 'batches of 100', batch: 100, connections: 32, share: 1 },
  { name: 'single events', batch: 1, connections: 128, share: 0.15 },
] as const

/** ingest by itself: taking events and writing them to the log, with an fsync before each answer. */
export const benchIngest = async (figures: Figures, events: number): Promise<void> => {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  const child = spawn(process.execPath, [join(import.meta.dirname, 'ingest-server.mjs'), dir], { stdio: ['ignore', 'pipe', 'inherit'] })
  const killed = (): void => void child.kill('SIGKILL')
  process.once('exit', killed)
  try {
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    const url = String(line).trim()
    for (const { name, batch, connections, share } of PARTS) {
      const own = Math.round(events * share)
      const send = (run: string, count: number): Promise<Loaded> => load({ url, writeKey: WRITE_KEY, run, people: 10_000, batch, connections, events: count })
      // Compilers and caches warm up first.
      await send(`warm${batch}`, Math.round(own / 5))
      const before = cpuMicros(child.pid!)
      const loaded = await send(`run${batch}`, own)
      const micros = (cpuMicros(child.pid!) - before) / own
      const how = `ingest and log alone, ${own.toLocaleString('en-US')} events, ${connections} connections, fsync before the answer`
      figures.add('ingest', `${name}, CPU`, micros, 'µs/event', how)
      figures.add('ingest', `${name}, accepted`, loaded.accepted / loaded.seconds, 'events/s', 'the sender shares the cores')
      figures.add('ingest', `${name}, answer p50 / p99`, `${loaded.p50Ms.toFixed(1)} / ${loaded.p99Ms.toFixed(1)}`, 'ms', 'as fast as answered')
    }
    figures.add('ingest', 'memory', memoryOf(child.pid!).residentMb, 'MB RSS', 'afterwards')
  } finally {
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    await ended
    process.off('exit', killed)
    rmSync(dir, { recursive: true, force: true })
  }
}
