import type { Origin, Project, Refusal } from '@millrace/contracts'
import type { Clock, Ids, NewRecord } from '@millrace/ports'
import { commandRecord } from './domain/command-record.ts'
import type { Projects } from '@millrace/service-kit'
import type { AppendQueue } from './append-queue.ts'
import type { IngestConfig } from './config.ts'
import type { IngestCounters } from './counters.ts'
import { createPeers, type Peers } from './domain/peer.ts'
import { rejectedLine, type SentEvent, sortEvents } from './domain/sort-events.ts'
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

/** What every protocol hands its events to, whatever their shape on the wire was. */
export interface Door {
  readonly config: IngestConfig
  readonly clock: Clock
  readonly projects: Projects
  readonly counters: IngestCounters
  readonly openRequests: OpenRequests
  readonly peers: Peers
  /** The time that a request is stamped with: one for all within some milliseconds, so that they share an origin. */
  receivedAt(): number
  /** Resolves when the log has each event, as accepted or as rejected. @throws LogUnavailable: it has none of them */
  take(arrival: Arrival, events: readonly SentEvent[], unlinks?: readonly Unlink[]): Promise<Taken>
  /** Keeps a body that could not be read as one refusal. */
  keepBody(arrival: Omit<Arrival, 'peer'>, body: Buffer, refusal: Refusal): Promise<void>
}

export type DoorDeps = Pick<Door, 'config' | 'clock' | 'projects' | 'counters' | 'openRequests'> & {
  readonly ids: Ids
  readonly queue: AppendQueue
}

export const createDoor = (deps: DoorDeps): Door => {
  const { config, clock, projects, counters, openRequests, ids, queue } = deps
  const bounds = { eventBytesMax: config.EVENT_BYTES_MAX, rejectedBytesMax: config.REJECTED_BYTES_MAX }

  const take: Door['take'] = async ({ project, origin, request, peer }, events, unlinks = []) => {
    const { accepted, byPartition, rejected } = sortEvents(events, { origin, project, peer }, bounds, () => ids.uuid())
    if (events.length === 0) return { accepted, rejected }
    const parcels = [...byPartition].map(([partition, lines]) => ({ project: project.id, partition, origin, request, lines }))
    await queue.add({
      parcels,
      ...(rejected.length > 0 ? { rejected: { project: project.id, origin, request, lines: rejected.map(({ line }) => line) } } : {}),
      ...(unlinks.length > 0 ? { commands: unlinks.map((unlink) => unlinkRecord(project.id, unlink)) } : {}),
    })
    if (accepted > 0) counters.accepted.inc({ protocol: origin.protocol }, accepted)
    for (const { refusal } of rejected) counters.rejected.inc({ protocol: origin.protocol, code: refusal.code })
    return { accepted, rejected }
  }
  const keepBody: Door['keepBody'] = async ({ project, origin, request }, body, refusal) => {
    const lines = [rejectedLine(refusal, { raw: null, bytes: body }, bounds)]
    await queue.add({ parcels: [], rejected: { project: project.id, origin, request, lines } })
    counters.rejected.inc({ protocol: origin.protocol, code: refusal.code })
  }
  let stampedAt = -Infinity
  const receivedAt = (): number => {
    const now = clock.now()
    if (now < stampedAt || now - stampedAt >= STAMP_MS) stampedAt = now
    return stampedAt
  }
  return { receivedAt, config, clock, projects, counters, openRequests, peers: createPeers(config.PEER_ADDRESS), take, keepBody }
}

const STAMP_MS = 4

/** An SDK cuts two keys from each other: the same record as of a command of the API, named by the message that said so. */
const unlinkRecord = (project: number, { a, b, order }: Unlink): NewRecord => commandRecord(project, { type: 'identity.command', op: 'unlink', a, b, order, by: 'sdk' })
