import { allTopics } from '@millrace/contracts'
import type { ColumnStore, EventLog } from '@millrace/ports'
import { schemaFault } from '@millrace/warehouse'

export interface SetUpWait {
  readonly log: Pick<EventLog, 'extents'>
  /** Null for a service that needs no tables. */
  readonly columns: ColumnStore | null
  readonly waitMsMax: number
  readonly onWait?: ((reason: string) => void) | undefined
}

const LOOK_MS = 500

/** Topics or tables are not as this build needs them. */
export class NotSetUp extends Error {
  override readonly name = 'NotSetUp'
  /** They may still become so. */
  readonly waiting: boolean
  constructor({ text, waiting }: Fault) {
    super(`The stack is not set up: ${text}.`)
    this.waiting = waiting
  }
}

/**
 * One command migrates (`set-up`), services wait for it: many copies that start at once would else change tables side by
 * side, and a copy of an older build could come first. @throws NotSetUp when it is not done in time, or a newer build has been here
 */
export const untilSetUp = async ({ log, columns, waitMsMax, onWait }: SetUpWait): Promise<void> => {
  const deadline = performance.now() + waitMsMax
  for (;;) {
    const fault = await faultOf(log, columns)
    if (fault === null) return
    if (!fault.waiting || performance.now() >= deadline) throw new NotSetUp(fault)
    onWait?.(fault.text)
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}

interface Fault {
  readonly text: string
  /** It may mend itself. */
  readonly waiting: boolean
}

const faultOf = async (log: SetUpWait['log'], columns: ColumnStore | null): Promise<Fault | null> => {
  try {
    return (await topicsFault(log)) ?? (columns ? await schemaFault(columns) : null)
  } catch (error) {
    // An engine that still starts answers with all kinds of faults.
    return { text: error instanceof Error ? error.message : String(error), waiting: true }
  }
}

/** The number of partitions is part of the contract: a shard's home depends on it. */
const topicsFault = async (log: SetUpWait['log']): Promise<Fault | null> => {
  for (const { name, partitions } of allTopics) {
    const present = (await log.extents(name)).length
    if (present !== partitions) return { text: `topic ${name} has ${present} partitions instead of ${partitions}`, waiting: present === 0 }
  }
  return null
}
