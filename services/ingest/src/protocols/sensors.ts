import { acceptEvent, type Fields, type ProblemError, readLine } from '@millrace/contracts'
import type { Wire } from '../domain/wire.ts'
import { PIXEL } from './pixel.ts'
import type { Answer, Asked, Path, Protocol } from './protocol.ts'
import { BEACON, CHECK, SEND } from './sensors-docs.ts'
import { readSensorsEvents, sensorsClock, tokenInEvents } from './sensors-lines.ts'
import { unlinksOf } from './sensors-unlinks.ts'

const CHECK_PATH = '/debug'

const paths: readonly Path[] = [
  ...['/sa', '/sa.gif'].flatMap((url) => [{ method: 'POST', url, docs: SEND }, { method: 'GET', url, docs: BEACON }] as const),
  { method: 'POST', url: CHECK_PATH, docs: CHECK },
]

/** Sensors Analytics (神策): pictures, forms and beacons, base64 with or without gzip. Its SDKs lose, or repeat for ever, what is not answered by 200. */
export const sensors: Protocol = {
  name: 'sensors',
  paths,
  recognise: () => true,
  keyOf: (wire) => tokenInQuery(wire) ?? tokenInEvents(wire),
  decode: (wire, asked) => {
    const events = readSensorsEvents(wire, asked.eventsMax, tokenInQuery(wire))
    if (isDryRun(wire)) return { sentAt: null, events: [] }
    return { sentAt: null, clockAt: sensorsClock(events), events, unlinks: unlinksOf(events, asked) }
  },
  answer: (wire, taken, asked) => {
    if (wire.path !== CHECK_PATH) return silence(wire)
    const fault = isDryRun(wire) ? faultOf(wire, asked) : taken.rejected[0]?.refusal
    return fault ? { status: 400, type: 'text/plain', body: `${fault.code}: ${fault.detail}` } : silence(wire)
  },
  refuse: (problem, wire) => {
    if (comesAgain(problem) || wire.path === CHECK_PATH) return { status: problem.status, type: 'text/plain', body: `${problem.code}: ${problem.message}` }
    return silence(wire)
  },
  keepsNothing: (wire) => isDryRun(wire),
}

const tokenInQuery = (wire: Wire): string | undefined => {
  const token = wire.query['token']
  return typeof token === 'string' && token !== '' ? token : undefined
}

/** Looked at, and not kept. */
const isDryRun = (wire: Wire): boolean => wire.path === CHECK_PATH && wire.headers['dry-run'] !== undefined

const faultOf = (wire: Wire, { eventsMax, receivedAt }: Asked) => {
  for (const { raw, refusal } of readSensorsEvents(wire, eventsMax, tokenInQuery(wire))) {
    const accepted = refusal ?? acceptEvent(readLine('sensors', raw as Fields), { receivedAt, sentAt: null })
    if (!accepted.ok) return accepted
  }
  return undefined
}

/** Nothing of the request was kept: the batching SDK sends it again. */
const comesAgain = ({ status }: ProblemError): boolean => status === 503 || status === 429

const silence = (wire: Wire): Answer =>
  wire.method === 'GET' ? { status: 200, type: 'image/gif', headers: { 'cache-control': 'no-store' }, body: PIXEL } : { status: 200, type: 'text/plain', body: '' }
