import { FIRST_SOURCE, type Project } from '@millrace/contracts'
import { hashKey, type Projects } from '@millrace/service-kit'
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
  return { project, writeKey: await writeKeyOf(projects, project, wanted), apiKey: await apiKeyOf(projects, project.id, wanted) }
}

/** A given key that was revoked or has expired does not come back, however often a start is told of it. */
const writeKeyOf = async (projects: Projects, project: Project, { writeKey }: Wanted): Promise<string> => {
  const isDead = writeKey !== undefined && !projects.byWriteKey(writeKey) && project.writeKeys.some(({ hash }) => hash === hashKey(writeKey))
  if (writeKey === undefined || isDead) return (await projects.shownWriteKey(project.id)) ?? projects.addWriteKey(project.id, FIRST_SOURCE)
  return projects.byWriteKey(writeKey) ? writeKey : projects.addWriteKey(project.id, FIRST_SOURCE, writeKey)
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
