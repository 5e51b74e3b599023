import { encodeRecord, homeKeyOf, homeOf, type IdentityCommand, shardOf, topics } from '@millrace/contracts'
import type { NewRecord } from '@millrace/ports'

/** A command of identity, in the home partition of its pair. */
export const commandRecord = (project: number, command: IdentityCommand): NewRecord => {
  const key = homeKeyOf(command.a, command.b)
  return {
    topic: topics.accepted.name,
    partition: homeOf(shardOf(project, key), topics.accepted.partitions),
    key,
    value: encodeRecord({ kind: 'control', project, count: 0, origins: [] }, [JSON.stringify(command)]),
  }
}
