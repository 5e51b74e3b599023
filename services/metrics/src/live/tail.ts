import type { LiveEvent, LiveOverview, LiveRefusal } from '@millrace/contracts'
import type { SeenEvent, SeenRefusal, SinkBatch } from '../sink/blocks.ts'

/** The last minutes as they were stored, in memory; what is older is asked of the column store. */
export const TAIL_SECONDS = 300
export const SECONDS_SHOWN = 60
export const LAST_MAX = 50
export const BY_EVENT_MAX = 100
/** Different events × channels that are told apart in one second; more are counted under the name `…`. */
const NAMES_PER_SECOND_MAX = 200

/** What the tail knows of the picture; the rest is counted in the column store. */
export type TailView = Pick<LiveOverview, 'seconds' | 'byEvent' | 'events' | 'refused' | 'newestReceivedAt'>

interface ProjectTail {
  readonly seconds: Map<number, Map<string, number>>
  events: readonly LiveEvent[]
  refused: readonly LiveRefusal[]
  newest: number
}

export interface LiveTail {
  add(batch: SinkBatch): ReadonlySet<number>
  view(project: number, now: number): TailView
}

/** Bounded in seconds, names and rows for each project. */
export const createLiveTail = (): LiveTail => {
  const projects = new Map<number, ProjectTail>()
  const tailOf = (project: number): ProjectTail => {
    const known = projects.get(project) ?? { seconds: new Map(), events: [], refused: [], newest: 0 }
    projects.set(project, known)
    return known
  }
  return {
    add: ({ events, refused }) => {
      const touched = new Set<number>()
      for (const seen of events) {
        touched.add(seen.project)
        countEvent(tailOf(seen.project), seen)
      }
      for (const seen of refused) touched.add(seen.project)
      for (const project of touched) keepLast(tailOf(project), project, events, refused)
      return touched
    },
    view: (project, now) => viewOf(tailOf(project), Math.floor(now / 1000)),
  }
}

const countEvent = (tail: ProjectTail, { event, channel, receivedAt }: SeenEvent): void => {
  const second = Math.floor(receivedAt / 1000)
  tail.newest = Math.max(tail.newest, receivedAt)
  if (second < Math.floor(tail.newest / 1000) - TAIL_SECONDS) return
  const names = tail.seconds.get(second) ?? new Map<string, number>()
  const full = names.size >= NAMES_PER_SECOND_MAX
  const name = `${channel}\n${event}`
  const counted = full && !names.has(name) ? '\n…' : name
  tail.seconds.set(second, names.set(counted, (names.get(counted) ?? 0) + 1))
}

const keepLast = (tail: ProjectTail, project: number, events: readonly SeenEvent[], refused: readonly SeenRefusal[]): void => {
  const own = events.filter((event) => event.project === project).slice(-LAST_MAX)
  tail.events = [...own.reverse().map(liveEvent), ...tail.events].slice(0, LAST_MAX)
  const faults = refused.filter((refusal) => refusal.project === project).slice(-LAST_MAX)
  tail.refused = [...faults.reverse().map(liveRefusal), ...tail.refused].slice(0, LAST_MAX)
  const oldest = Math.floor(tail.newest / 1000) - TAIL_SECONDS
  for (const second of tail.seconds.keys()) if (second < oldest) tail.seconds.delete(second)
}

const iso = (ms: number): string => new Date(ms).toISOString()

const liveEvent = (event: SeenEvent): LiveEvent => ({
  messageId: event.messageId,
  type: event.type,
  event: event.event,
  personId: event.personId,
  userId: event.userId,
  anonymousId: event.anonymousId,
  channel: event.channel,
  source: event.source,
  timestamp: iso(event.timestamp),
  receivedAt: iso(event.receivedAt),
})

const liveRefusal = ({ code, detail, source, messageId, receivedAt }: SeenRefusal): LiveRefusal => ({
  code, detail, source, messageId, receivedAt: iso(receivedAt),
})

const viewOf = (tail: ProjectTail, now: number): TailView => {
  const names = new Map<string, number>()
  const seconds: [number, number][] = []
  for (const [second, counts] of tail.seconds) {
    if (second < now - TAIL_SECONDS) continue
    let sum = 0
    for (const [name, n] of counts) {
      sum += n
      names.set(name, (names.get(name) ?? 0) + n)
    }
    if (second >= now - SECONDS_SHOWN) seconds.push([second, sum])
  }
  const byEvent = [...names].map(([name, events]) => {
    const [channel = '', event = ''] = name.split('\n', 2)
    return { event, channel, events }
  })
  return {
    seconds: seconds.sort(([a], [b]) => a - b),
    byEvent: byEvent.sort((a, b) => b.events - a.events).slice(0, BY_EVENT_MAX),
    events: tail.events,
    refused: tail.refused,
    newestReceivedAt: tail.newest === 0 ? null : iso(tail.newest),
  }
}
