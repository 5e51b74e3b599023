import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chanceFrom, topics } from '@millrace/contracts'
import type { EventLog, HotStore } from '@millrace/ports'
import { createEmbedded } from '@millrace/wiring'
import { afterAll, describe, expect, it } from 'vitest'
import { startChild } from './child.ts'

const SEED = Number(process.env['MILLRACE_SEED'] ?? 11)
const KILLS = Number(process.env['MILLRACE_KILLS'] ?? (process.env['MILLRACE_LONG'] === '1' ? 60 : 12))
const POINTS = [
  'log.append.before-commit', 'log.append.after-commit', 'step.before-commit:copy', 'step.after-commit:copy', 'hot.apply', 'any time',
]
const PACKAGE = fileURLToPath(new URL('../..', import.meta.url))

describe('P1: the embedded store under kill -9', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-crash-'))
  afterAll(() => rmSync(dataDir, { recursive: true }))

  it(`loses nothing acknowledged, and outputs, positions and state agree (${KILLS} kills, seed ${SEED})`, async () => {
    const chance = chanceFrom(SEED).next
    const acked = new Set<string>()
    const kills = new Map<string, number>()
    let first = 0
    for (let round = 0; round < KILLS; round++) {
      const point = POINTS[round % POINTS.length]!
      const lines = await runUntilKilled(dataDir, first, point, chance)
      kills.set(point, (kills.get(point) ?? 0) + 1)
      for (const line of lines) if (line.startsWith('acked ')) acked.add(line.slice(6).replace(' ', ':'))
      expect(lines.filter((line) => line.startsWith('fault '))).toEqual([])
      const counter = Math.max(0, ...lines.filter((line) => line.startsWith('updated ')).map((line) => Number(line.slice(8))))
      first = (await check(dataDir, acked, counter)) + 1
    }
    process.stdout.write(`kills: ${JSON.stringify(Object.fromEntries(kills))}, ${acked.size} appends acknowledged, seed ${SEED}\n`)
    expect(acked.size).toBeGreaterThan(KILLS)
  }, 30_000 + KILLS * 10_000)
})

const runUntilKilled = async (dataDir: string, first: number, point: string, chance: () => number): Promise<readonly string[]> => {
  const hit = 1 + Math.floor(chance() * 30)
  const child = startChild(join(PACKAGE, 'dist/crash/log-child.js'), [dataDir, String(first), point, String(hit)])
  if (point === 'any time') {
    await child.saw('started')
    await new Promise((resolve) => setTimeout(resolve, chance() * 150))
    child.process.kill('SIGKILL')
  }
  expect(await child.ended).toMatchObject({ signal: 'SIGKILL' })
  return child.lines
}

/** Opens what the killed process left. Answers the largest number in it. */
const check = async (dataDir: string, acked: ReadonlySet<string>, counter: number): Promise<number> => {
  const { log, hot, close } = await createEmbedded({ dataDir })
  try {
    const texts = await Promise.all([0, 1, 2, 3].map((partition) => checkPartition(log, hot, partition)))
    const there = new Set(texts.flat())
    expect([...acked].filter((name) => !there.has(name) || !there.has(`${name}b`))).toEqual([])
    const found = ((await hot.get('direct', ['counter']))[0] as number | undefined) ?? 0
    expect(found).toBeGreaterThanOrEqual(counter)
    return Math.max(0, ...texts.flat().map((text) => Number.parseInt(text.split(':')[1]!, 10)))
  } finally {
    await close()
  }
}

const checkPartition = async (log: EventLog, hot: HotStore, partition: number): Promise<string[]> => {
  const scope = `copy:${partition}`
  const accepted = await readTexts(log, topics.accepted.name, partition)
  const { offset, metadata } = await log.committed('copy', topics.accepted.name, partition)
  expect(inPairs(accepted)).toBe(true)
  expect(await readTexts(log, topics.resolved.name, partition)).toEqual(accepted.slice(0, offset))
  expect(await hot.watermark(scope)).toBe(offset === 0 ? null : offset)
  expect((await hot.get(scope, ['count', `at:${offset - 1}`, `at:${offset}`]))).toEqual(
    offset === 0 ? [undefined, undefined, undefined] : [offset, { offset: offset - 1 }, undefined],
  )
  expect(await hot.nextTimer(scope)).toEqual(offset === 0 ? null : { id: 'next', at: offset })
  expect(metadata).toBe(offset === 0 ? '' : String(offset))
  return accepted
}

/** Numbers grow, and each append's two records lie side by side. */
const inPairs = (texts: readonly string[]): boolean =>
  texts.length % 2 === 0 && texts.every((text, index) =>
    index % 2 === 1 ? text === `${texts[index - 1]}b` : index === 0 || numberOf(text) > numberOf(texts[index - 2]!))

const numberOf = (text: string): number => Number(text.split(':')[1])

const readTexts = async (log: EventLog, topic: string, partition: number): Promise<string[]> => {
  const records = await log.read(topic, partition, 0, { recordsMax: Infinity, bytesMax: Infinity })
  return records.map(({ value }) => Buffer.from(value).toString())
}
