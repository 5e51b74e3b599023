import type { DecodeSettings, Project, Zone } from '@millrace/contracts'
import type { DayOf } from '@millrace/segments'

/** What lines of a project are applied with. */
export interface ProjectContext {
  readonly id: number
  readonly settings: DecodeSettings
  readonly currency: string
  readonly dayOf: DayOf
}

export interface ProjectContexts {
  /** @throws when the project is not known (yet): the batch is tried again */
  of(id: number): Promise<ProjectContext>
  /** Of a project that was asked for before. */
  known(id: number): ProjectContext | undefined
}

export const createProjectContexts = (projectOf: (id: number) => Promise<Project>, zoneOf: (name: string) => Zone): ProjectContexts => {
  const contexts = new Map<number, ProjectContext>()
  return {
    known: (id) => contexts.get(id),
    of: async (id) => {
      const known = contexts.get(id)
      if (known) return known
      const project = await projectOf(id)
      const context = { id, settings: project, currency: project.currency, dayOf: zoneOf(project.zone).dayNumber }
      contexts.set(id, context)
      return context
    },
  }
}
