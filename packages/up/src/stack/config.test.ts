import { describe, expect, it } from 'vitest'
import { readLocalStackConfig } from './config.ts'

const copiesOf = (text: string) => readLocalStackConfig(['--copies', text], {}, '/data')?.copies

describe('npm run stack', () => {
  it('takes copies for all services or by name', () => {
    expect(copiesOf('2')).toEqual({ ingest: 2, 'profile-builder': 2, segmentation: 2, metrics: 2 })
    expect(copiesOf('metrics=2,segmentation=3')).toEqual({ ingest: 1, 'profile-builder': 1, segmentation: 3, metrics: 2 })
    expect(readLocalStackConfig([], {}, '/data')).toMatchObject({ dataDir: '/data', port: 8080, copies: { ingest: 1 } })
  })

  it('tells every fault at once', () => {
    const read = (): unknown => readLocalStackConfig(['--copies', 'resolver=2', '--port', 'x', '--sync', 'os'], {}, '/data')
    for (const part of ['--copies resolver=2', '--port x', '--sync']) expect(read).toThrow(part)
    for (const wrong of ['0', '9', 'metrics', 'metrics=x']) expect(() => copiesOf(wrong)).toThrow('--copies')
  })
})
