import { execFileSync } from 'node:child_process'
import { chmod, mkdir, rm, truncate, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { cleanUp, newFolder, screenOf, start, until, type Child } from './child.ts'

afterEach(cleanUp)

/** The one sentence of a start that failed. */
const failure = async (child: Child): Promise<string> => {
  expect(await child.ended).toBe(1)
  return child.output().trim()
}

describe('a start that cannot go on ends with one clear sentence', () => {
  it('for settings: every fault at once', async () => {
    const text = await failure(start(await newFolder(), ['--prot', '1', '--port', 'x', '--zone', 'Nowhere'], { env: { MILLRACE_CURRENCY: 'euro' } }))
    for (const part of ['--prot', '--port x', '--zone Nowhere', 'MILLRACE_CURRENCY euro']) expect(text).toContain(part)
  })

  it('for a busy port, naming the flag that chooses another', async () => {
    const server = createServer()
    const port = await new Promise<number>((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)))
    const text = await failure(start(await newFolder(), ['--port', String(port), '--clickhouse-port', '0']))
    expect(text).toBe(`Port ${port} on 127.0.0.1 is in use by another program: stop that one, or choose another port with --port.`)
    server.close()
  })

  it('for a folder that another process holds', async () => {
    const folder = await newFolder()
    await screenOf(start(folder))
    expect(await failure(start(folder))).toMatch(/^The data folder .* is in use by another Millrace.*--data-dir\.$/)
  })

  it('for a folder of a newer version', async () => {
    const folder = await newFolder()
    await writeFile(join(folder, 'VERSION'), '99\n')
    expect(await failure(start(folder))).toMatch(/^The data folder .* was written by a newer Millrace.*\.$/)
  })

  it('for a folder whose log is broken', async () => {
    const folder = await newFolder()
    await writeFile(join(folder, 'VERSION'), '1\n')
    await mkdir(join(folder, 'log'))
    await writeFile(join(folder, 'log/data.mdb'), 'no database at all '.repeat(1000))
    expect(await failure(start(folder))).toMatch(/^The data folder .* is broken.*\.$/)
  })

  it('for a folder whose log was cut', async () => {
    const folder = await newFolder()
    const child = start(folder, ['--write-key', 'write-key-1'])
    const { url } = await screenOf(child)
    const batch = Array.from({ length: 500 }, (_, index) => ({ type: 'track', userId: `u${index}`, event: 'E', properties: { text: `${index}`.repeat(2000) } }))
    for (let request = 0; request < 4; request++) await fetch(`${url}/v1/batch`, { method: 'POST', body: JSON.stringify({ writeKey: 'write-key-1', batch }) })
    child.kill('SIGKILL')
    await child.ended
    await truncate(join(folder, 'log/data.mdb'), 16_384)
    expect(await failure(start(folder))).toMatch(/^The data folder .* is broken.*\.$/)
  })

  it('for a folder whose warehouse lost what it held', async () => {
    const folder = await newFolder()
    const child = start(folder, ['--write-key', 'write-key-1', '--api-key', 'api-key-1'])
    const { url } = await screenOf(child)
    await fetch(`${url}/v1/batch`, { method: 'POST', body: JSON.stringify({ writeKey: 'write-key-1', batch: [{ type: 'track', userId: 'u', event: 'E' }] }) })
    const stored = async (): Promise<number> =>
      ((await (await fetch(`${url}/api/ledger`, { headers: { authorization: 'Bearer api-key-1' } })).json()) as { total: { stored: number } }).total.stored
    await until(async () => (await stored()) === 1, child)
    child.kill('SIGTERM')
    await child.ended
    await rm(join(folder, 'warehouse'), { recursive: true })
    expect(await failure(start(folder))).toMatch(/^The data folder .* is broken.*warehouse.*\.$/)
  })

  it('for a folder that is a file, and for one that this user may not write to', async () => {
    const folder = await newFolder()
    await writeFile(join(folder, 'file'), '')
    expect(await failure(start(join(folder, 'file')))).toMatch(/^The data folder .* cannot be used: it is a file.*\.$/)
    const closed = join(folder, 'closed')
    await mkdir(closed)
    await chmod(folder, 0o755)
    await chmod(closed, 0o555)
    // Root may write anywhere, so the program runs as somebody else then.
    const somebody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
    expect(await failure(start(closed, [], somebody))).toMatch(/^The data folder .* cannot be used: this user may not write there.*\.$/)
    await chmod(closed, 0o755)
  })

  it('for a zone that differs from the folder’s own', async () => {
    const folder = await newFolder()
    const first = start(folder, ['--zone', 'Asia/Shanghai'])
    await screenOf(first)
    first.kill('SIGTERM')
    await first.ended
    expect(await failure(start(folder, ['--zone', 'UTC']))).toContain('--zone Asia/Shanghai, fixed at its first start')
  })
})

describe('the first screen', () => {
  it('has a curl that works when it is pasted, a link that signs in once, and the API key only the first time', async () => {
    const folder = await newFolder()
    const child = start(folder)
    const screen = await screenOf(child)
    const apiKey = /API key +(mk_\w+)/.exec(child.output())![1]!
    expect(JSON.parse(execFileSync('sh', ['-c', `${screen.curl} 2>/dev/null`], { encoding: 'utf8' }))).toMatchObject({ accepted: 1 })
    const people = async (): Promise<number> => {
      const answer = await fetch(`${screen.url}/api/overview`, { headers: { authorization: `Bearer ${apiKey}` } })
      return ((await answer.json()) as { people: number }).people
    }
    await until(async () => (await people()) === 1)

    const signedIn = await fetch(screen.link)
    const cookie = signedIn.headers.get('set-cookie')!.split(';', 1)[0]!
    expect(await (await fetch(`${screen.url}/`, { headers: { cookie } })).text()).toContain('<div id="root">')
    expect(await (await fetch(`${screen.url}/api/setup`, { headers: { cookie } })).json()).toEqual({ writeKey: screen.writeKey })
    expect((await fetch(screen.link)).status).toBe(401)
    expect((await fetch(`${screen.url}/`)).status).toBe(401)

    child.kill('SIGTERM')
    expect(await child.ended).toBe(0)
    const second = start(folder, ['--new-api-key'])
    expect((await screenOf(second)).writeKey).toBe(screen.writeKey)
    expect(second.output()).not.toContain(apiKey)
    expect(second.output()).toMatch(/API key +mk_\w+/)
    second.kill('SIGTERM')
    await second.ended
    const third = start(folder)
    await screenOf(third)
    expect(third.output()).not.toContain('mk_')
  })
})

describe('a stop', () => {
  it('ends by itself with code 0 before its bound of ten seconds ends it with 1, also while a page listens for what is live', async () => {
    const child = start(await newFolder(), ['--api-key', 'api-key-1'])
    const { url } = await screenOf(child)
    const live = await fetch(`${url}/api/live`, { headers: { authorization: 'Bearer api-key-1' } })
    expect(live.status).toBe(200)
    child.kill('SIGINT')
    expect(await child.ended).toBe(0)
    await live.text().catch(() => '')
  })

  it('loses nothing that was answered when it is a kill instead, at whatever point', async () => {
    const folder = await newFolder()
    const key = ['--write-key', 'write-key-1', '--api-key', 'api-key-1']
    const send = (url: string, id: string): Promise<boolean> =>
      fetch(`${url}/v1/track`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa('write-key-1:')}` },
        body: JSON.stringify({ userId: 'u', event: 'E', messageId: id }),
      }).then((answer) => answer.ok, () => false)
    const acknowledged: string[] = []
    for (const [index, point] of ['sink.declared:1', 'fold.handled:2'].entries()) {
      const child = start(folder, key, { env: { MILLRACE_PROBE_KILL: point } })
      const { url } = await screenOf(child).catch(() => ({ url: '' }))
      const ids = url === '' ? [] : Array.from({ length: 20 }, (_, sent) => `m${index}-${sent}`)
      for (const id of ids) if (await send(url, id)) acknowledged.push(id)
      expect(await child.ended).toBe('SIGKILL')
    }
    expect(acknowledged.length).toBeGreaterThan(0)
    const last = start(folder, key)
    const { clickhouse } = await screenOf(last)
    const stored = async (): Promise<string[]> => {
      const sql = 'SELECT message_id FROM millrace.events ORDER BY message_id'
      const answer = await fetch(clickhouse, { method: 'POST', body: sql, headers: { authorization: `Basic ${btoa('analyst:api-key-1')}` } })
      return (await answer.text()).trim().split('\n')
    }
    let ids: string[] = []
    await until(async () => {
      ids = await stored()
      return acknowledged.every((id) => ids.includes(id))
    }, last)
    expect(ids).toEqual([...new Set(ids)])
  })
})

it('takes the time of the file that a test writes', async () => {
  const folder = await newFolder()
  const file = join(folder, 'clock')
  await writeFile(file, String(Date.UTC(2030, 0, 2)))
  const data = join(folder, 'data')
  const { url, writeKey } = await screenOf(start(data, ['--api-key', 'api-key-1'], { env: { MILLRACE_TEST_CLOCK: file } }))
  await fetch(`${url}/v1/track`, { method: 'POST', headers: { authorization: `Basic ${btoa(`${writeKey}:`)}` }, body: '{"userId":"u","event":"E"}' })
  const newest = async (): Promise<unknown> =>
    ((await (await fetch(`${url}/api/overview`, { headers: { authorization: 'Bearer api-key-1' } })).json()) as { newestReceivedAt: unknown }).newestReceivedAt
  await until(async () => (await newest()) === '2030-01-02T00:00:00.000Z')
  expect(await newest()).toBe('2030-01-02T00:00:00.000Z')
  await rm(file)
})
