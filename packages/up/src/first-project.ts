import type { Project } from '@millrace/contracts'
import type { Projects } from '@millrace/service-kit'
import type { UpConfig } from './config.ts'
import { StartFault } from './folder/fault.ts'

export interface FirstKeys {
  readonly project: Project
  readonly writeKey: string
  /** Only when it was made, or given, by this start: the store keeps its hash. */
  readonly apiKey: string | null
}

type Wanted = Pick<UpConfig, 'zone' | 'currency' | 'writeKey' | 'apiKey' | 'newApiKey' | 'demo'>

const NAME = 'Millrace'

/** The project of a single machine: made at the first start, else checked against what this start was told. @throws StartFault */
export const firstProject = async (projects: Projects, wanted: Wanted): Promise<FirstKeys> => {
  const project = projects.all()[0]
  if (!project) return makeProject(projects, wanted)
  const { zone, currency } = wanted
  if (zone !== undefined && zone !== project.zone) throw fixed('--zone', project.zone, zone)
  if (currency !== undefined && currency !== project.currency) throw fixed('--currency', project.currency, currency)
  const writeKey = wanted.writeKey ?? (await projects.shownWriteKey(project.id))
  if (wanted.writeKey !== undefined && !projects.byWriteKey(wanted.writeKey)) await projects.addWriteKey(project.id, 'default', wanted.writeKey)
  return {
    project,
    writeKey: writeKey ?? (await projects.addWriteKey(project.id, 'default')),
    apiKey: await apiKeyOf(projects, project.id, wanted),
  }
}

const makeProject = async (projects: Projects, { zone, currency, writeKey, apiKey, demo }: Wanted): Promise<FirstKeys> =>
  projects.create({
    name: demo ? '溪畔茶铺 Millside Tea' : NAME,
    zone: zone ?? 'UTC',
    // The demo's prices are in yuan.
    currency: currency ?? (demo ? 'CNY' : 'USD'),
    writeKey,
    apiKey,
  })

const apiKeyOf = async (projects: Projects, project: number, { apiKey, newApiKey }: Wanted): Promise<string | null> => {
  if (apiKey === undefined) return newApiKey ? projects.addApiKey(project, 'admin') : null
  return projects.byApiKey(apiKey) ? apiKey : projects.addApiKey(project, 'admin', apiKey)
}

const fixed = (flag: string, stored: string, asked: string): StartFault =>
  new StartFault(`This data folder's project has ${flag} ${stored}, fixed at its first start, and was now asked for ${asked}: leave ${flag} out, or choose another folder with --data-dir.`)
