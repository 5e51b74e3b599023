import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root } from '../tidy/source-tree.ts'
import { protocols } from '../../services/ingest/src/protocols/index.ts'
import { caddyfileOf, type RouteTable } from './caddyfile.ts'
import { compose, programOf, serviceOfCopy, sources, text } from './files.ts'

const table = JSON.parse(text('infra/proxy/routes.json')) as RouteTable
const services = ['ingest', 'profile-builder', 'segmentation', 'metrics']
const copies = Object.fromEntries(services.map((name) => [name, [`${name}-0`, `${name}-1`]]))

const serviceOf = (path: string): string | undefined =>
  table.routes.find((row) => (row.path.endsWith('*') ? path.startsWith(row.path.slice(0, -1)) : path === row.path))?.service

describe('the table of paths', () => {
  it('is what both Caddyfiles are made of', async () => {
    await expect(caddyfileOf(table)).toMatchFileSnapshot(join(root, 'infra/proxy/Caddyfile'))
    await expect(caddyfileOf(table, copies)).toMatchFileSnapshot(join(root, 'infra/proxy/Caddyfile.cluster'))
  })

  it('sends every path of a service to that service', () => {
    const routes = sources('services').flatMap((file) =>
      [...file.text.matchAll(/app\.(?:get|post|put|delete)(?:<\w+>)?\(\s*['`](\/[^'`]*)['`]/g)].map((match) => ({ service: file.path.split('/')[1]!, path: match[1]!.replace(/\$\{\w+\}|:\w+/g, 'x') })))
    expect(routes.length).toBeGreaterThan(15)
    for (const { service, path } of routes) expect(serviceOf(path), path).toBe(service)
    for (const path of ['/', '/assets/page.js', '/sign-in', '/api/session', '/api/setup', '/api/projects', '/api/sources', '/api/sources/web/activity']) expect(serviceOf(path), path).toBe('metrics')
  })

  it('sends every path of a tracking protocol to ingest, with and without a slash at its end', () => {
    const paths = protocols.flatMap((protocol) => [...protocol.paths, ...(protocol.extras ?? [])].map(({ url }) => url.replaceAll(/:\w+/g, 'x')))
    expect(paths.flatMap((path) => [path, `${path}/`]).filter((path) => serviceOf(path) !== 'ingest')).toEqual([])
  })

  it('names services and ports that the compose files have', () => {
    for (const file of ['docker-compose.yml', 'docker-compose.cluster.yml'] as const) {
      const { services: containers } = compose(file)
      const ours = Object.entries(containers).filter(([, container]) => programOf(container)?.startsWith('services/'))
      expect([...new Set(ours.map(([name]) => serviceOfCopy(name)))].sort(), file).toEqual([...new Set(table.routes.map(({ service }) => service))].sort())
      for (const [name, { environment = {}, command }] of ours) {
        expect(environment['PORT'], name).toBe(String(table.port))
        expect(command).toEqual(['node', `services/${serviceOfCopy(name)}/dist/main.js`])
        if (serviceOfCopy(name) === table.analysts.service) expect(environment['ANALYSTS_PORT'], name).toBe(String(table.analysts.port))
      }
      expect(Object.keys(containers['proxy']!.depends_on!).sort(), file).toEqual(ours.map(([name]) => name).sort())
      expect(containers['proxy']?.ports?.map((port) => Number(port.split(':').at(-1)))).toEqual([table.port, table.analysts.port])
    }
  })
})

const caddy = process.env['MILLRACE_CADDY'] ?? 'caddy'
const lacksCaddy = spawnSync(caddy, ['version'], { stdio: 'ignore' }).status !== 0
if (lacksCaddy) process.stdout.write('SKIPPED the proxy itself: no caddy on the PATH, and none named by MILLRACE_CADDY\n')

/** The Caddyfile with services of this machine in place of containers. */
describe.skipIf(lacksCaddy)('the proxy itself', () => {
  const upstreams = new Map<string, Server>()
  let folder: string
  let proxy: ChildProcess
  let door: string

  beforeAll(async () => {
    for (const name of [...services, 'analysts']) upstreams.set(name, await listening((request) => `${name} ${request.method} ${request.url} ${request.headers.host}`))
    const [port, analystsPort] = [await freePort(), await freePort()]
    door = `127.0.0.1:${port}`
    const here = caddyfileOf(table)
      .replaceAll(/dynamic a (\S+) (\d+) \{\s*refresh 5s\s*\}/g, (_, name: string, at: string) => `to 127.0.0.1:${portOf(upstreams.get(at === '8123' ? 'analysts' : name)!)}`)
      .replace(`:${table.port} {`, `http://127.0.0.1:${port} {`).replace(`:${table.analysts.port} {`, `http://127.0.0.1:${analystsPort} {`)
    folder = await mkdtemp(join(tmpdir(), 'millrace-proxy-'))
    await writeFile(join(folder, 'Caddyfile'), here)
    proxy = spawn(caddy, ['run', '--config', join(folder, 'Caddyfile'), '--adapter', 'caddyfile'], { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder } })
    await untilServing(proxy)
  })
  afterAll(async () => {
    const ended = new Promise((resolve) => proxy.once('exit', resolve))
    proxy.kill()
    await ended
    for (const server of upstreams.values()) server.close()
    await rm(folder, { recursive: true })
  })

  it('sends requests where the table says, with the host that the client asked for', async () => {
    for (const path of ['/v1/track', '/api/identity/commands', '/api/profiles', '/api/profiles/x/timeline?limit=2', '/api/segments', '/api/segments/preview', '/api/metrics/funnel', '/api/live', '/', '/sign-in?token=a', '/assets/a.js']) {
      expect(await (await fetch(`http://${door}${path}`)).text()).toBe(`${serviceOf(path.split('?')[0]!)} GET ${path} ${door}`)
    }
  })

  it('keeps what services tell of themselves inside, and answers for its own health', async () => {
    expect((await fetch(`http://${door}/metrics`)).status).toBe(404)
    expect((await fetch(`http://${door}/readyz`)).status).toBe(404)
    expect(await (await fetch(`http://${door}/healthz`)).text()).toBe('ok')
  })
})

const listening = async (answer: (request: import('node:http').IncomingMessage) => string): Promise<Server> => {
  const server = createServer((request, response) => response.end(answer(request)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port

const freePort = async (): Promise<number> => {
  const server = await listening(() => '')
  const port = portOf(server)
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Caddy tells on its error output that it serves; when it ends instead, its last words are the fault. */
const untilServing = (proxy: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    let words = ''
    proxy.stderr!.on('data', (chunk: Buffer) => {
      words += String(chunk)
      if (words.includes('serving initial configuration')) resolve()
    })
    proxy.once('exit', (code) => reject(new Error(`caddy ended with code ${code}: ${words.slice(-1000)}`)))
  })
