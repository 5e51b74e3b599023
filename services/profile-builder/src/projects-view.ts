import { createZone, type Project, type Zone } from '@millrace/contracts'

/** What the consumers need of the registry. */
export interface ProjectsView {
  byId(id: number): Project | undefined
  refresh(): Promise<void>
}

/** Of a project that another copy made a moment ago, too. @throws when there is none: the log names one that is lost */
export const findProject = async (projects: ProjectsView, id: number): Promise<Project> => {
  const known = projects.byId(id)
  if (known) return known
  await projects.refresh()
  const found = projects.byId(id)
  if (!found) throw new Error(`the log names project ${id}, which is not registered`)
  return found
}

/** Zones by name: making one costs more than using it. */
export const createZones = (): ((project: Project) => Zone) => {
  const zones = new Map<string, Zone>()
  return ({ zone: name }) => {
    const known = zones.get(name) ?? createZone(name)
    zones.set(name, known)
    return known
  }
}
