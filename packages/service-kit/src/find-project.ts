import type { Project } from '@millrace/contracts'
import type { Projects } from './projects.ts'

/**
 * Of a project that another copy made a moment ago, too: the log names no project that was not made before.
 * @throws when there is none: the log names one that is lost, and the batch is tried again
 */
export const findProject = async (projects: Pick<Projects, 'byId' | 'refresh'>, id: number): Promise<Project> => {
  const known = projects.byId(id)
  if (known) return known
  await projects.refresh()
  const found = projects.byId(id)
  if (!found) throw new Error(`the log names project ${id}, which is not registered`)
  return found
}
