import { topics } from '@millrace/contracts'
import type { Clock, ConsumeOptions } from '@millrace/ports'
import { TAIL_SECONDS } from './tail.ts'

/** Whether this copy has read all that its tail is made of; of several copies each reads a part. */
export interface Owned {
  watched(options: ConsumeOptions): ConsumeOptions
  isWhole(): boolean
}

const SHOWN: ReadonlyMap<string, number> = new Map([topics.resolved, topics.rejected].map(({ name, partitions }) => [name, partitions]))
const PARTITIONS = [...SHOWN.values()].reduce((sum, partitions) => sum + partitions, 0)

/** Watches which partitions a consumer opens and closes. What another copy read meanwhile has left the tail's time after five minutes. */
export const createOwned = (clock: Pick<Clock, 'now'>): Owned => {
  const open = new Set<string>()
  let missedAt = -Infinity
  return {
    isWhole: () => open.size === PARTITIONS && clock.now() - missedAt >= TAIL_SECONDS * 1000,
    watched: (options) => ({
      ...options,
      open: async (assignment) => {
        const consumer = await options.open(assignment)
        if (!SHOWN.has(assignment.topic)) return consumer
        const place = `${assignment.topic}/${assignment.partition}`
        open.add(place)
        return {
          ...consumer,
          close: () => {
            open.delete(place)
            missedAt = clock.now()
            return consumer.close()
          },
        }
      },
    }),
  }
}
