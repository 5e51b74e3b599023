import { homeOf, shardOf, topics } from '@millrace/contracts'
import { describe, expect, it } from 'vitest'
import { acceptedOf } from './memory-log.ts'
import { setUp } from './set-up.ts'

describe('POST /api/identity/commands', () => {
  const bearer = (key: string) => ({ authorization: `Bearer ${key}`, 'content-type': 'application/json' })
  const merge = { op: 'merge', a: { type: 'user_id', value: 'u2' }, b: { type: 'user_id', value: 'u1' } }

  it('appends the command to the home of its pair', async () => {
    const { post, log, apiKey, project } = await setUp()
    expect((await post('/api/identity/commands', merge, bearer(apiKey))).statusCode).toBe(202)
    const [{ line, partition, header }] = acceptedOf(log) as [ReturnType<typeof acceptedOf>[number]]
    expect(JSON.parse(line.toString())).toMatchObject({ type: 'identity.command', op: 'merge', a: 'user_id:u2', b: 'user_id:u1', by: 'api:admin' })
    expect(partition).toBe(homeOf(shardOf(project.id, 'user_id:u1'), topics.accepted.partitions))
    expect(header).toMatchObject({ kind: 'control', count: 0 })
  })

  it('refuses what is no key, and who may not', async () => {
    const { post, apiKey, writeKey, projects, project, log } = await setUp()
    const code = async (body: unknown, key = apiKey) => (await post('/api/identity/commands', body, bearer(key))).json().code
    expect(await code({ ...merge, a: { type: 'user_id', value: 'null' } })).toBe('KEY_INVALID')
    expect(await code({ ...merge, a: { type: 'wechat', value: 'x' } })).toBe('KEY_INVALID')
    expect(await code({ ...merge, a: { type: 'user_id', value: ' u1 ' } })).toBe('KEY_INVALID')
    expect(await code({ op: 'marry' })).toBe('BAD_REQUEST')
    expect(await code(merge, writeKey)).toBe('API_KEY_UNKNOWN')
    expect(await code(merge, await projects.addApiKey(project.id, 'analyst'))).toBe('ROLE_INSUFFICIENT')
    expect(acceptedOf(log)).toHaveLength(0)
  })
})
