import { createClient } from './client.ts'
import { namesWith } from './names.ts'
import type { TopicSettings } from './topics.ts'

/** Those of the groups that have members just now: some process consumes. */
export const activeGroups = async (brokers: readonly string[], { prefix = '', access }: Pick<TopicSettings, 'prefix' | 'access'>, groups: readonly string[]): Promise<readonly string[]> => {
  const names = namesWith(prefix)
  const admin = createClient(brokers, 'millrace-groups', access, 20).kafka.admin()
  await admin.connect()
  try {
    const described = await admin.describeGroups(groups.map(names.toKafka))
    return described.groups.filter(({ members }) => members.length > 0).map(({ groupId }) => names.fromKafka(groupId))
  } finally {
    await admin.disconnect()
  }
}
