import { ensureKafkaTopics } from '@millrace/adapters'
import { createProjects, createSignInPath } from '@millrace/service-kit'
import { migrate, type MigrateOptions } from '@millrace/warehouse'
import { createStack, topicSettings, type StackConfig } from '@millrace/wiring'
import { firstProject, type FirstKeys } from '../first-project.ts'
import { requireFinished } from '../replay/target.ts'

export interface SetUp {
  readonly keys: FirstKeys
  /** A path that signs one browser in, once. */
  readonly signInPath: string
  /** Migrations that were missing. */
  readonly applied: readonly string[]
}

/**
 * Makes what services only wait for: topics, this build's tables, the first project. Once before services of a new build
 * start; safe to repeat at any time, also beside a running stack.
 * @param tables how the first set-up makes tables; later ones must say the same
 */
export const setUp = async (config: StackConfig, wanted: Parameters<typeof firstProject>[1], tables: MigrateOptions = {}): Promise<SetUp> => {
  await ensureKafkaTopics(config.KAFKA_BROKERS, topicSettings(config))
  const stack = await createStack({ config, needsColumns: false })
  try {
    await requireFinished(stack.hot)
    const { applied } = await migrate(stack.columns, tables)
    const projects = createProjects(stack)
    await projects.refresh()
    const keys = await firstProject(projects, wanted)
    return { keys, applied, signInPath: await createSignInPath(stack, { project: keys.project.id, role: 'admin' }) }
  } finally {
    await stack.close()
  }
}
