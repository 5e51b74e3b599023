// What each step of the door costs by itself, of batches of 100, one after the other. A process of its own: a loader that the bench
// runs in makes of every constant of another file a call. Prints lines of JSON: name, how, microseconds of CPU by event.
import { isUtf8 } from 'node:buffer'
import { gzipSync } from 'node:zlib'
import { acceptEvent, filedKeyOf, homeOf, readLine, shardOf } from '@millrace/contracts'
import { basicUserOf } from '@millrace/service-kit'
import { acceptedRecords } from '../../services/ingest/dist/domain/records-of.js'
import { scanBatch } from '../../services/ingest/dist/domain/scan-body.js'
import { createSenderClocks } from '../../services/ingest/dist/domain/sender-clocks.js'
import { sortEvents } from '../../services/ingest/dist/domain/sort-events.js'
import { unpack } from '../../services/ingest/dist/domain/unpack.js'
import { eventText } from './events.mjs'

const EVENTS = 100
const AT = Date.now()
const project = { id: 1, identity: { blockedValues: [], types: [] } }
const origin = { source: 'default', protocol: 'segment', receivedAt: AT, sentAt: AT }
const bounds = { eventBytesMax: 65_536, rejectedBytesMax: 262_144 }

const printChecks = () => {
  const times = { run: 'check', people: 10_000, fromMs: AT - 86_400_000, stepMs: 1 }
  const body = Buffer.from(`{"batch":[${Array.from({ length: EVENTS }, (_, n) => eventText(times, n)).join(',')}],"sentAt":"${new Date(AT).toISOString()}"}`)
  const { events } = scanBatch(body)
  const fields = events.map(({ raw }) => raw)
  const sort = () => sortEvents(events, { origin, project, peer: null }, bounds, () => '')
  const parcels = sort().byPartition.flatMap((lines, partition) => (lines ? [{ project: 1, partition, origin, request: 'r', lines }] : []))
  const clocks = createSenderClocks(1000)
  const authorization = `Basic ${Buffer.from('test-write-key:').toString('base64')}`
  const packed = gzipSync(body.subarray(0, 8_000))
  const steps = [
    ['JSON.parse, for comparison', 'what the scanner replaces', () => JSON.parse(body.toString())],
    ['scanner', 'is it JSON, how deep, where events lie, ten fields of each', () => scanBatch(body)],
    ['UTF-8', 'part of the scanner', () => isUtf8(body)],
    ['fields', 'type, name, ids, times of each', () => fields.map((raw) => acceptEvent(readLine('segment', raw), origin))],
    ['filed key', 'normalised, blocked values, home partition', () => fields.map((raw) => homeOf(shardOf(1, filedKeyOf(project, { userId: raw['userId'], anonymousId: raw['anonymousId'], messageId: '' })), 4))],
    ['all checks and the sorting', 'sizes, fields, filed key, lines by partition', sort],
    ['records', 'lines copied, LZ4, header', () => acceptedRecords(parcels)],
    ['write key', 'by request, shared by its events', () => basicUserOf(authorization)],
    ["sender's clock", 'by request', () => clocks.skewOf({ sender: 'one', sentAt: AT, receivedAt: AT, times: () => [] })],
    ['gzip of 8 kB', 'by request', () => unpack(packed, 1 << 20)],
  ]
  for (const [name, how, step] of steps) console.log(JSON.stringify([name, how, microsOf(step) / EVENTS]))
}

const ROUNDS = 3_000

/** CPU of one call, warmed up. */
const microsOf = (step) => {
  for (let round = 0; round < ROUNDS / 3; round++) step()
  const before = process.cpuUsage()
  for (let round = 0; round < ROUNDS; round++) step()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / ROUNDS
}

printChecks()
