import { statfs } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { ledgerDifference } from '@millrace/contracts'
import { createSystemClock } from '@millrace/adapters'
import { inspectStack } from '@millrace/wiring'
import { ask, askApi } from './ask.ts'
import { readExposition, type Series } from './exposition.ts'
import type { Gathered, ProcessWord } from './findings.ts'
import { type LagRow, lagRows, missingGroups, newestRows } from './lag.ts'
import type { LedgerAnswer } from './ledger.ts'
import { type Place, wantedNode } from './place.ts'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))

/** Asks everything once, and the processes twice, `watchMs` apart: what stands still is seen by that alone. */
export const gather = async (place: Place, watchMs: number): Promise<Gathered> => {
  const clock = createSystemClock()
  const first = await Promise.all(place.processes.map(look))
  const [engines, ledger, disk, nodeWanted] = await Promise.all([
    place.engines === null ? null : inspectStack(place.engines, clock), readLedger(place), roomOf(place), wantedNode(ROOT),
    new Promise<void>((resolve) => void clock.after(watchMs, resolve)),
  ])
  const second = await Promise.all(place.processes.map(look))
  const lagAfter = newestRows(second.map(({ lag }) => lag))
  return {
    node: process.versions.node, nodeWanted, ledger, disk,
    processes: second.map(({ word, faults }, index) => ({ ...word, newFaults: Math.max(0, faults - (first[index]!.word.fault === null ? first[index]!.faults : faults)) })),
    lagBefore: newestRows(first.map(({ lag }) => lag)),
    lagAfter,
    missingGroups: missingGroups(lagAfter),
    topics: engines?.topics ?? null,
    migrations: engines?.migrations ?? null,
    redis: engines?.redis ?? null,
  }
}

interface Look {
  readonly word: ProcessWord
  readonly lag: readonly LagRow[]
  readonly faults: number
}

const look = async ({ name, url }: Place['processes'][number]): Promise<Look> => {
  const clock = createSystemClock()
  try {
    const askedAt = clock.now()
    const ready = await ask(`${url}/readyz`)
    const here = (askedAt + clock.now()) / 2
    const series = readExposition((await ask(`${url}/metrics`)).text)
    return {
      word: {
        name, url, fault: null, parts: partsOf(ready.status, ready.text), skewMs: ready.dateMs === null ? null : ready.dateMs - here, newFaults: 0,
        ledgerDifferences: series.filter((one) => one.name === 'millrace_metrics_ledger_difference').map(({ labels, value }) => ({ project: labels['project'] ?? '', difference: value })),
      },
      lag: lagRows(series),
      faults: faultsOf(series),
    }
  } catch (error) {
    const word = { name, url, fault: (error as Error).message, parts: {}, skewMs: null, ledgerDifferences: [], newFaults: 0 }
    return { word, lag: [], faults: 0 }
  }
}

/** @param text of /readyz, which something else in between may have answered */
const partsOf = (status: number, text: string): Readonly<Record<string, string>> => {
  try {
    const { parts } = JSON.parse(text) as { parts?: Record<string, string> }
    if (parts) return parts
  } catch {
    // Not ours: the status is all there is.
  }
  return status === 200 ? {} : { answer: `/readyz answered ${status}` }
}

const faultsOf = (series: readonly Series[]): number =>
  series.filter(({ name }) => name === 'millrace_consumer_faults_total').reduce((sum, { value }) => sum + value, 0)

const readLedger = async ({ url, apiKey }: Place): Promise<Gathered['ledger']> => {
  if (apiKey === null) return null
  try {
    const { balanced, total } = await askApi<LedgerAnswer>(url, '/api/ledger', apiKey)
    return { balanced, difference: ledgerDifference(total) }
  } catch (error) {
    return { fault: (error as Error).message }
  }
}

const roomOf = async ({ folder }: Place): Promise<Gathered['disk']> => {
  if (folder === null) return null
  const { bavail, blocks, bsize } = await statfs(folder)
  return { folder, freeBytes: bavail * bsize, totalBytes: blocks * bsize }
}
