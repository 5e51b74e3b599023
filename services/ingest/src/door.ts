import type { Origin, Project, Refusal } from '@millrace/contracts'
import type { Clock, Ids } from '@millrace/ports'
import type { Projects } from '@millrace/service-kit'
import type { AppendQueue } from './append-queue.ts'
import type { IngestConfig } from './config.ts'
import type { IngestCounters } from './counters.ts'
import { type RejectedEvent, rejectedLine, type SentEvent, sortEvents } from './domain/sort-events.ts'
import type { OpenRequests } from './open-requests.ts'

interface Taken {
  readonly accepted: number
  readonly rejected: readonly RejectedEvent[]
}

/** Whose a request is, and where and when it came in. */
interface Arrival {
  readonly project: Project
  readonly origin: Origin
  /** Its id, by which its events are found again. */
  readonly request: string
}

/** What every protocol hands its events to, whatever their shape on the wire was. */
export interface Door {
  readonly config: IngestConfig
  readonly clock: Clock
  readonly projects: Projects
  readonly counters: IngestCounters
  readonly openRequests: OpenRequests
  /** Resolves when the log has each event, as accepted or as rejected. @throws LogUnavailable: it has none of them */
  take(arrival: Arrival, events: readonly SentEvent[]): Promise<Taken>
  /** Keeps a body that could not be read as one refusal. */
  keepBody(arrival: Arrival, body: Buffer, refusal: Refusal): Promise<void>
}

export type DoorDeps = Pick<Door, 'config' | 'clock' | 'projects' | 'counters' | 'openRequests'> & {
  readonly ids: Ids
  readonly queue: AppendQueue
}

export const createDoor = (deps: DoorDeps): Door => {
  const { config, clock, projects, counters, openRequests, ids, queue } = deps
  const bounds = { eventBytesMax: config.EVENT_BYTES_MAX, rejectedBytesMax: config.REJECTED_BYTES_MAX }

  const take = async ({ project, origin, request }: Arrival, events: readonly SentEvent[]): Promise<Taken> => {
    const { accepted, byPartition, rejected } = sortEvents(events, origin, project, bounds, () => ids.uuid())
    if (events.length === 0) return { accepted, rejected }
    const parcels = [...byPartition].map(([partition, lines]) => ({ project: project.id, partition, origin, request, lines }))
    await queue.add(parcels, rejected.length === 0 ? null : { project: project.id, origin, request, lines: rejected.map(({ line }) => line) })
    if (accepted > 0) counters.accepted.inc({ protocol: origin.protocol }, accepted)
    for (const { refusal } of rejected) counters.rejected.inc({ protocol: origin.protocol, code: refusal.code })
    return { accepted, rejected }
  }
  const keepBody = async ({ project, origin, request }: Arrival, body: Buffer, refusal: Refusal): Promise<void> => {
    await queue.add([], { project: project.id, origin, request, lines: [rejectedLine(refusal, { raw: null, bytes: body }, bounds)] })
    counters.rejected.inc({ protocol: origin.protocol, code: refusal.code })
  }
  return { config, clock, projects, counters, openRequests, take, keepBody }
}
