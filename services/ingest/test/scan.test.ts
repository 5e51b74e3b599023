import { chanceFrom, type Origin, type Project, ProblemError } from '@millrace/contracts'
import { describe, expect, it } from 'vitest'
import { endOfValue, NONE, skipSpace } from '../src/domain/json-scan.ts'
import { joinLines } from '../src/domain/join-lines.ts'
import { scanBatch } from '../src/domain/scan-body.ts'
import { sortEvents } from '../src/domain/sort-events.ts'
import { parseJson } from '../src/domain/parse-json.ts'
import type { Wire } from '../src/domain/wire.ts'
import type { Sent } from '../src/protocols/protocol.ts'
import { parseBatch, parseSingle, readBatch, readSingle, single } from '../src/protocols/segment-body.ts'

/** `npm run fuzz` takes a million. */
const CASES = process.env['MILLRACE_LONG'] === '1' ? 1_000_000 : 20_000
const SEED = 20_261
const AT = Date.parse('2024-06-01T12:00:00Z')
const project = { id: 1, identity: { blockedValues: ['house'], types: [] } } as unknown as Project
const bounds = { eventBytesMax: 2_000, rejectedBytesMax: 500 }

const wireOf = (body: Buffer): Wire =>
  ({ method: 'POST', path: '/v1/batch', query: {}, headers: {}, ip: '', requestId: 'r', body, json: () => parseJson(body), form: () => ({}), isFormCut: false, data: () => parseJson(body) })

/** All that becomes of a body: lines by partition, refusals, or the fault of the whole. */
const outcome = (read: () => Sent): unknown => {
  try {
    const { sentAt, context, events } = read()
    const origin: Origin = { source: 'web', protocol: 'segment', receivedAt: AT, sentAt }
    const sorted = sortEvents(events, { origin, project, peer: null }, bounds, () => 'new')
    return { sentAt, context, ...sorted, byPartition: sorted.byPartition.map((lines) => joinLines(lines ?? []).toString('latin1')) }
  } catch (error) {
    if (error instanceof ProblemError) return error.code
    throw error
  }
}

const { below: next, pick } = chanceFrom(SEED)

const TEXTS = ['u1', 'a1', '', ' ', 'null', 'house', '0', 'x'.repeat(300), '中文', '\\u0041', '\\n', '\\ud800', '\\"', 'caf\\u00e9', '\u2028', 'é', '\u3000', 'Order Completed', '-1', '\\/']
const TIMES = ['"2024-06-01T11:59:59.123Z"', '"2024-06-01"', '"2024-02-30T00:00:00.000Z"', '"1999-12-31T23:59:59.999Z"', '"2024-06-01T13:30:00.000Z"', '1717243199', '1717243199123', '"yesterday"', 'null', '""', '1e400', '-0', '"2024-06-01T11:59:59.123456789Z"', '"2024-06-01 11:59:59"']
const GOOD = ['1', '-1.5e3', '0.1', 'true', 'false', 'null', '[]', '{}', '[1,2,{"a":[]}]', '{"type":"page","batch":[1]}', '12345678901234567890', `${'['.repeat(62)}${']'.repeat(62)}`, `${'['.repeat(66)}${']'.repeat(66)}`, '{"__proto__":{"a":1}}', '1E+2', '-0', '{ "a" : [ "b\\n" ] }']
const BAD = ['01', '1.', '-', '+1', '.5', '1e', 'tru', 'NaN', '[1,]', '{"a":1,}', '{"a"}', '"\t"', '"\\x"', '"\\u12g4"', '[1 2]', '{"a" 1}', '{a:1}', '']
const valueAny = (): string => (next(80) === 0 ? pick(BAD) : pick(GOOD))
const KEYS = ['type', 'event', 'userId', 'anonymousId', 'previousId', 'groupId', 'messageId', 'timestamp', 'originalTimestamp', 'sentAt', 'properties', 'context', 'traits', 'x', '__proto__', 'constructor', 't\\u0079pe', '', '中']

const gap = (): string => (next(12) === 0 ? (next(60) === 0 ? pick(['\u00a0', '\ufeff']) : pick([' ', '\n', '\r\n\t'])) : '')
const text = (): string => `"${pick(TEXTS)}"`
const valueOf = (key: string): string => {
  if (next(10) === 0) return valueAny()
  if (key === 'type') return next(6) === 0 ? text() : `"${pick(['track', 'track', 'page', 'screen', 'identify', 'group', 'alias'])}"`
  if (/timestamp|sentAt/i.test(key)) return pick(TIMES)
  if (key === 'messageId' && next(3) > 0) return `"m${next(1000)}"`
  if (key.endsWith('Id') && next(2) > 0) return `"id-${next(50)}"`
  return next(3) === 0 ? valueAny() : text()
}
const eventText = (): string => {
  const keys = ['type', 'event', 'userId', 'messageId', 'timestamp'].filter(() => next(12) > 0)
  for (let more = next(4); more > 0; more--) keys.splice(next(keys.length + 1), 0, pick(KEYS))
  return `${gap()}{${gap()}${keys.map((key) => `"${key}"${gap()}:${gap()}${valueOf(key)}${gap()}`).join(',')}}${gap()}`
}
const batchText = (): string => {
  const fields = [`"batch":[${Array.from({ length: next(4) }, () => (next(20) === 0 ? valueAny() : eventText())).join(',')}]`]
  if (next(3) === 0) fields.push(`"sentAt":${pick(TIMES)}`)
  if (next(6) === 0) fields.unshift(`"context":${valueAny()}`)
  if (next(12) === 0) fields.push(pick(['"batch":[]', '"b\\u0061tch":[]', '"writeKey":"wk"', '"batch":null', `"x":${valueAny()}`]))
  return `${gap()}{${fields.join(`${gap()},`)}}${gap()}`
}
const mutated = (given: string): Buffer => {
  const body = Buffer.from(given)
  if (next(5) > 0 || body.length === 0) return body
  const at = next(body.length)
  const kind = next(4)
  if (kind === 0) body[at] = next(256)
  if (kind === 1) return body.subarray(0, at)
  if (kind === 2) return Buffer.concat([body.subarray(0, at), Buffer.from(pick(['"', '\\', '{', '}', ',', ':', '[', ']', '\u0000', '9'])), body.subarray(at)])
  if (kind === 3) return Buffer.concat([body.subarray(0, at), body.subarray(Math.min(body.length, at + 1 + next(5)))])
  return body
}

describe('the scanner', () => {
  it(`makes of ${CASES} bodies what the ordinary parser makes of them`, () => {
    const differing: unknown[] = []
    let scanned = 0
    let whole = 0
    for (let n = 0; n < CASES; n++) {
      if (n % 4 === 0) {
        const body = mutated(eventText())
        const wire = wireOf(body)
        const ordinary = outcome(() => single(parseSingle(wire), 'page'))
        const fast = outcome(() => readSingle(wire, 'page'))
        if (JSON.stringify(fast) !== JSON.stringify(ordinary)) differing.push([body.toString('latin1'), ordinary, fast])
        continue
      }
      const body = mutated(batchText())
      const wire = wireOf(body)
      const ordinary = outcome(() => parseBatch(wire, 100))
      const fast = outcome(() => readBatch(wire, 100))
      if (JSON.stringify(fast) !== JSON.stringify(ordinary)) differing.push([body.toString('latin1'), ordinary, fast])
      if (scanBatch(body) !== null) scanned++
      if (typeof ordinary === 'object') whole++
    }
    process.stdout.write(`scanner: ${CASES} bodies, ${whole} batches that can be read, ${scanned} of them by the scanner, seed ${SEED}\n`)
    expect(differing.slice(0, 3)).toEqual([])
    expect(scanned).toBeGreaterThan(whole / 3)
  })

  it('takes for a value what JSON.parse takes', () => {
    const differing: string[] = []
    for (let n = 0; n < CASES / 10; n++) {
      const body = mutated(next(2) === 0 ? pick([...GOOD, ...BAD]) : `[${pick(BAD)}, ${text()},{"a":${valueAny()}}]`)
      // The bytes of a broken character are none of its business.
      if (!Buffer.from(body.toString()).equals(body)) continue
      const end = endOfValue(body, skipSpace(body, 0))
      const taken = end !== NONE && skipSpace(body, end) === body.length
      let parsed = true
      try {
        JSON.parse(body.toString())
      } catch {
        parsed = false
      }
      if (taken !== parsed && !body.includes('['.repeat(60))) differing.push(body.toString())
    }
    expect(differing.slice(0, 3)).toEqual([])
  })
})
