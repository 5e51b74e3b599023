import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ingestConfig } from '@millrace/ingest'
import { metricsConfig } from '@millrace/metrics'
import { profileBuilderConfig } from '@millrace/profile-builder'
import { segmentationConfig } from '@millrace/segmentation'
import { serviceConfig } from '@millrace/service-kit'
import { slotOf, stackConfig } from '@millrace/wiring'
import { describe, expect, it } from 'vitest'
import { root } from '../tidy/source-tree.ts'

const readmeOf = (workspace: string): string => readFileSync(join(root, workspace, 'README.md'), 'utf8')

/** Nothing is an empty text, an empty list, or an object without keys. */
const shownOf = (value: unknown): string => (typeof value === 'object' && value !== null && Object.keys(value).length === 0 ? '' : String(value)) || '(empty)'

describe('settings of processes', () => {
  it('stand in the README of the package that reads them, with default and meaning', () => {
    for (const [workspace, schema] of [['packages/service-kit', serviceConfig], ['packages/wiring', stackConfig]] as const) {
      const defaults = schema.parse({ COPY_SLOT: '0' }) as Readonly<Record<string, unknown>>
      for (const [name, field] of Object.entries(schema.shape)) {
        const shown = name === 'COPY_SLOT' ? '–' : shownOf(defaults[name])
        expect(readmeOf(workspace)).toContain(`| \`${name}\` | ${shown} | ${field.description} |`)
      }
    }
  })

  it('of each service stand in its README', () => {
    const schemas = { ingest: ingestConfig, 'profile-builder': profileBuilderConfig, segmentation: segmentationConfig, metrics: metricsConfig }
    for (const [service, schema] of Object.entries(schemas)) {
      for (const name of Object.keys(schema.shape)) expect(readmeOf(`services/${service}`), service).toContain(`\`${name}\``)
    }
  })

  it('take the slot of a copy from a host name that ends with an ordinal, and ask for it otherwise', () => {
    expect([slotOf('segmentation-2'), slotOf('a3f9c2d1e0b4'), slotOf('laptop')]).toEqual(['2', undefined, undefined])
    expect(stackConfig.safeParse({}).error?.issues[0]?.message).toContain('the stable number of this copy')
  })
})
