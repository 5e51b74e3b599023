import { type Origin, type Project, refuse, type Refusal } from '@millrace/contracts'
import type { Clock, Ids, NewRecord } from '@millrace/ports'
import { commandRecord } from './domain/command-record.ts'
import type { Projects, WriteAccess } from '@millrace/service-kit'
import type { AppendQueue, Done } from './append-queue.ts'
import type { IngestConfig } from './config.ts'
import type { IngestCounters } from './counters.ts'
import { isOriginAllowed } from './domain/allowed-origin.ts'
import { createLimits } from './domain/limits.ts'
import { createPeers, type Peers } from './domain/peer.ts'
import { createSenderClocks, type SenderClocks } from './domain/sender-clocks.ts'
import type { Parcel } from './domain/records-of.ts'
import type { SentEvent } from './domain/sent-event.ts'
import { rejectedLine, sortEvents } from './domain/sort-events.ts'
import type { OpenRequests } from './open-requests.ts'
import type { Taken, Unlink } from './protocols/protocol.ts'

/** Whose a request is, and where and when it came in. */
interface Arrival {
  readonly project: Project
  readonly origin: Origin
  /** Its id, by which its events are found again. */
  readonly request: string
  /** What is put at the end of each event: where a user's own device called from. */
  readonly peer: Buffer | null
}

/** Why a source may not send now, and when it may come again. */
interface NotAdmitted extends Refusal {
  readonly retryAfterSeconds?: number
}

/** What every protocol hands its events to, whatever their shape on the wire was. */
export interface Door {
  readonly config: IngestConfig
  readonly clock: Clock
  readonly projects: Projects
  readonly counters: IngestCounters
  readonly openRequests: OpenRequests
  readonly peers: Peers
  readonly senderClocks: SenderClocks
  /** The time that a request is stamped with: one for all within some milliseconds, so that they share an origin. */
  receivedAt(): number
  /** Whether the settings of the source let this request in; counts its events against the limit when they do. */
  admit(access: WriteAccess, request: { readonly origin: string | undefined; readonly events: number }): NotAdmitted | null
  /** `done` is called when the log has each event, as accepted or as rejected, or with the fault: then it has none. @throws LogUnavailable */
  take(arrival: Arrival, events: readonly SentEvent[], unlinks: readonly Unlink[], done: (fault: unknown, taken: Taken) => void): void
  /** Keeps a body that could not be read as one refusal. @throws LogUnavailable */
  keepBody(arrival: Omit<Arrival, 'peer'>, body: Buffer, refusal: Refusal, done: Done): void
}

export type DoorDeps = Pick<Door, 'config' | 'clock' | 'projects' | 'counters' | 'openRequests'> & {
  readonly ids: Ids
  readonly queue: AppendQueue
}

export const createDoor = (deps: DoorDeps): Door => {
  const { config, clock, projects, counters, openRequests, ids, queue } = deps
  const bounds = { eventBytesMax: config.EVENT_BYTES_MAX, rejectedBytesMax: config.REJECTED_BYTES_MAX }

  const newId = (): string => ids.uuid()

  const take: Door['take'] = ({ project, origin, request, peer }, events, unlinks, done) => {
    const sorted = sortEvents(events, { origin, project, peer }, bounds, newId)
    if (events.length === 0) return done(null, sorted)
    const { accepted, byPartition, rejected } = sorted
    const parcels: Parcel[] = []
    for (let partition = 0; partition < byPartition.length; partition++) {
      const lines = byPartition[partition]
      if (lines) parcels.push({ project: project.id, partition, origin, request, lines })
    }
    queue.add({
      parcels,
      rejected: rejected.length > 0 ? { project: project.id, origin, request, lines: rejected.map(({ line }) => line) } : null,
      commands: unlinks.length > 0 ? unlinks.map((unlink) => unlinkRecord(project.id, unlink)) : null,
    }, (fault) => {
      if (fault === null) {
        if (accepted > 0) counters.accepted(origin.protocol).inc(accepted)
        for (const { refusal } of rejected) counters.rejected.inc({ protocol: origin.protocol, code: refusal.code })
      }
      done(fault, sorted)
    })
  }
  const keepBody: Door['keepBody'] = ({ project, origin, request }, body, refusal, done) => {
    const lines = [rejectedLine(refusal, { raw: null, bytes: body, start: 0, end: body.length }, bounds)]
    queue.add({ parcels: [], rejected: { project: project.id, origin, request, lines }, commands: null }, (fault) => {
      if (fault === null) counters.rejected.inc({ protocol: origin.protocol, code: refusal.code })
      done(fault)
    })
  }
  const limits = createLimits(clock)
  const admit: Door['admit'] = ({ project, settings, key }, { origin, events }) => {
    const { name, allowedOrigins, eventsPerSecondMax, server } = settings
    if (!isOriginAllowed(origin, allowedOrigins)) return refuse('ORIGIN_NOT_ALLOWED', `the source ${name} does not take events from pages of ${origin}`)
    if (eventsPerSecondMax === null) return null
    const waitMs = limits.waitMs(`${project.id}:${key.id}`, events, eventsPerSecondMax)
    if (waitMs === 0) return null
    // SDKs in browsers and phones throw away what is answered with 429.
    const refusal = refuse(server ? 'SOURCE_LIMIT' : 'SOURCE_BUSY', `the source ${name} sends more than ${eventsPerSecondMax} events a second`)
    return { ...refusal, retryAfterSeconds: Math.ceil(waitMs / 1000) }
  }
  let stampedAt = -Infinity
  const receivedAt = (): number => {
    const now = clock.now()
    if (now < stampedAt || now - stampedAt >= STAMP_MS) stampedAt = now
    return stampedAt
  }
  return { receivedAt, config, clock, projects, counters, openRequests, peers: createPeers(config.PEER_ADDRESS), senderClocks: createSenderClocks(config.SENDERS_MAX), take, keepBody, admit }
}

const STAMP_MS = 4

/** An SDK cuts two keys from each other: the same record as of a command of the API, named by the message that said so. */
const unlinkRecord = (project: number, { a, b, order }: Unlink): NewRecord => commandRecord(project, { type: 'identity.command', op: 'unlink', a, b, order, by: 'sdk' })
