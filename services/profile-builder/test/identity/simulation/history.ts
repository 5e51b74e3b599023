import type { Chance, IdentityCommand, Key, Project } from '@millrace/contracts'
import { encodeRecord, filedKeyOf, homeKeyOf, homeOf, project as projectSchema, shardOf, topics } from '@millrace/contracts'
import type { NewRecord } from '@millrace/ports'

/** One arrival at events.accepted: an event, or what a person asked for. `time` is in seconds after the start. */
export type Arrival =
  | {
      readonly kind: 'event'
      readonly time: number
      readonly id: string
      readonly user?: string
      readonly device?: string
      /** Of an alias event. */
      readonly previous?: string
      readonly traits?: Readonly<Record<string, string>>
      readonly amount?: number
    }
  | { readonly kind: 'command'; readonly op: 'merge' | 'unlink'; readonly time: number; readonly id: string; readonly a: Key; readonly b: Key }

export interface History {
  readonly project: Project
  readonly arrivals: readonly Arrival[]
}

export const START = Date.UTC(2026, 0, 1)

export const projectOf = (identity: Partial<Project['identity']> = {}, id = 1): Project =>
  projectSchema.parse({ id, name: 'simulation', zone: 'UTC', currency: 'EUR', writeKeys: [], apiKeys: [], identity })

export const recordOf = (project: Project, arrival: Arrival, receivedAt: number, partitions: number): NewRecord => {
  const at = (key: Key): number => homeOf(shardOf(project.id, key), partitions)
  const origin = { source: 'web', protocol: 'segment', receivedAt, sentAt: null }
  if (arrival.kind === 'command') {
    const { op, a, b, time, id } = arrival
    const line: IdentityCommand = { type: 'identity.command', op, a, b, order: { time: START + time * 1000, messageId: id }, by: 'test' }
    const value = encodeRecord({ kind: 'control', project: project.id, count: 0, origins: [origin] }, [JSON.stringify(line)])
    return { topic: topics.accepted.name, partition: at(homeKeyOf(a, b)), value }
  }
  const raw = rawOf(arrival)
  const key = filedKeyOf(project, { userId: raw.userId, anonymousId: raw.anonymousId, messageId: arrival.id })
  const value = encodeRecord({ kind: 'events', project: project.id, count: 1, origins: [origin] }, [JSON.stringify(raw)])
  return { topic: topics.accepted.name, partition: at(key), value }
}

const rawOf = (arrival: Arrival & { kind: 'event' }) => ({
  type: arrival.previous !== undefined ? 'alias' : arrival.traits ? 'identify' : 'track',
  event: 'Order Completed',
  messageId: arrival.id,
  timestamp: new Date(START + arrival.time * 1000).toISOString(),
  ...(arrival.user !== undefined && { userId: arrival.user }),
  ...(arrival.device !== undefined && { anonymousId: arrival.device }),
  ...(arrival.previous !== undefined && { previousId: arrival.previous }),
  ...(arrival.traits && { traits: arrival.traits }),
  properties: { amount: arrival.amount ?? 0 },
})

/** A random history: late and repeated events, shared devices, aliases both ways, merges, unlinks, blocked values, small limits. */
export const randomHistory = (random: Chance): History => {
  const project = projectOf({
    types: [
      { type: 'email', uniquePerPerson: true },
      { type: 'mobile', uniquePerPerson: false },
    ],
    keysPerPersonMax: random.pick([3, 4, 1000]),
    mergedPersonsMax: random.pick([2, 3, 10]),
    usersPerDeviceMax: random.pick([1, 2, 3, 50]),
  })
  const users = 2 + random.below(5)
  const devices = 2 + random.below(8)
  const length = 30 + random.below(80)
  const user = (): string => (random.happens(0.04) ? 'null' : `u${random.below(users)}`)
  const device = (): string => (random.happens(0.05) ? 'd0' : `d${random.below(devices)}`)
  const arrivals: Arrival[] = []
  for (let at = 1; at <= length; at++) {
    const time = random.happens(0.25) ? random.below(at + 1) : at
    const id = `m${random.below(10)}${at}`
    const kind = random.below(100)
    const known = arrivals.length > 0 && kind < 8 ? random.pick(arrivals) : null
    if (known?.kind === 'event') arrivals.push(known)
    else if (kind < 12) arrivals.push(command(random, 'merge', time, id, users, devices))
    else if (kind < 18) arrivals.push(command(random, 'unlink', time, id, users, devices))
    else if (kind < 23) {
      const [one, other] = [user(), device()]
      arrivals.push({ kind: 'event', time, id, ...(random.happens(0.5) ? { user: one, previous: other } : { user: other, previous: one }) })
    } else {
      const shape = random.below(10)
      const traits = random.happens(0.15) ? { [random.pick(['email', 'mobile'])]: `x${random.below(4)}` } : null
      arrivals.push({
        kind: 'event',
        time,
        id,
        amount: random.below(10),
        ...(shape < 6 && { user: user() }),
        ...(shape > 2 && { device: device() }),
        ...(traits && { traits }),
      })
    }
  }
  return { project, arrivals }
}

const command = (random: Chance, op: 'merge' | 'unlink', time: number, id: string, users: number, devices: number): Arrival => {
  const a = `user_id:u${random.below(users)}`
  const b = random.happens(0.6) ? `user_id:u${random.below(users)}` : `anonymous_id:d${random.below(devices)}`
  return { kind: 'command', op, time, id, a, b }
}
