import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, describe, it } from 'vitest'
import { root } from '../tidy/source-tree.ts'
import { compose, composeFiles, exists, programOf, text, type ComposeService } from './files.ts'
import { settingsOf, upSettings } from './settings.ts'
import { serverProperties } from '../../infra/local/kafka/broker.mjs'

const PASSWORDS = ['MILLRACE_REDIS_PASSWORD', 'MILLRACE_CLICKHOUSE_PASSWORD', 'MILLRACE_CLICKHOUSE_CLUSTER_SECRET']
const given = Object.fromEntries(PASSWORDS.map((name) => [name, `of-the-test-${name.length}`]))
const docker = spawnSync('docker', ['compose', 'version'], { stdio: 'ignore' }).status === 0
if (!docker) process.stdout.write('SKIPPED docker compose config: no docker with the compose plugin here\n')

const config = (path: string, env: Record<string, string>) =>
  spawnSync('docker', ['compose', '--env-file', '/dev/null', '-f', join(root, path), '--profile', '*', 'config', '--quiet'], {
    encoding: 'utf8', env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
  })

describe.each(composeFiles)('%s', (path) => {
  const file = compose(path)
  const containers = Object.entries(file.services)

  it.skipIf(!docker)('is taken by docker compose', () => {
    expect(config(path, given)).toMatchObject({ status: 0 })
  })

  it.skipIf(!docker || path === 'docker-compose.embedded.yml')('is refused by docker compose with a sentence where a password is missing', () => {
    const { MILLRACE_REDIS_PASSWORD: _, ...others } = given
    const refused = config(path, others)
    expect(refused.status).not.toBe(0)
    expect(refused.stderr).toContain('put a password into .env, as .env.example says')
  })

  it('pins every image to a release', () => {
    for (const [name, { image, build }] of containers) {
      if (build && image === undefined) continue
      expect(image, name).toMatch(/:v?\d+\.\d+(\.\d+)+(-\w+)?$/)
      expect(image, name).not.toContain('latest')
    }
  })

  it('bounds every container, and says how it comes back, how it is asked and how it stops', () => {
    for (const [name, container] of containers) {
      const once = container.restart === 'no'
      expect(container, name).toMatchObject({ mem_limit: expect.any(String), cpus: expect.any(Number), restart: once ? 'no' : 'unless-stopped' })
      if (once || name.startsWith('keeper') || name === 'prometheus' || name === 'grafana') continue
      expect(container.healthcheck?.test, name).toBeDefined()
      expect(container.stop_grace_period, name).toMatch(/^\d+s$/)
    }
  })

  it('waits only for what can be waited for', () => {
    for (const [name, { depends_on = {} }] of containers)
      for (const [other, { condition }] of Object.entries(depends_on)) {
        const target = file.services[other]
        expect(target, `${name} waits for ${other}`).toBeDefined()
        if (condition === 'service_healthy') expect(target?.healthcheck, `${name} waits for ${other}`).toBeDefined()
        if (condition === 'service_completed_successfully') expect(target?.restart, `${name} waits for ${other}`).toBe('no')
      }
    expect(cycles(file.services)).toEqual([])
  })

  it('mounts files that are there, and volumes that it declares, each of which somebody uses', () => {
    const sources = containers.flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.split(':')[0]!))
    for (const source of sources) {
      if (source.startsWith('./')) expect(exists(source), source).toBe(true)
      else expect(Object.keys(file.volumes)).toContain(source)
    }
    expect(Object.keys(file.volumes).filter((name) => !sources.includes(name))).toEqual([])
  })

  it('publishes ports on an address only, and none of an engine', () => {
    const published = containers.flatMap(([name, { ports = [] }]) => ports.map((port) => `${name} ${port}`))
    for (const port of published) expect(port).toMatch(/^(proxy \$\{MILLRACE_PUBLISH:-127\.0\.0\.1\}:(8080:8080|8123:8123)|(grafana|millrace) 127\.0\.0\.1:\d+:\d+)$/)
    expect(published.length).toBeGreaterThan(0)
  })

  it('holds no password, and gives none that is missing a value of its own', () => {
    const secrets = [...text(path).matchAll(/^\s*\w*(?:PASSWORD|SECRET|REDISCLI_AUTH)\w*: *(.*)$/gm)].map((match) => match[1]!)
    for (const secret of secrets) expect(secret).toMatch(/^\$\{MILLRACE_\w+(:\?[^}]+|:-)\}$/)
    const standard = [...text(path).matchAll(/\$\{(MILLRACE_\w*(?:PASSWORD|SECRET)):-(.*?)\}/g)]
    // Grafana's is asked for at its start, since only its profile needs it.
    expect(standard.map(([, name, value]) => `${name}=${value}`)).toEqual(file.services['grafana'] ? ['MILLRACE_GRAFANA_PASSWORD='] : [])
  })

  it('gives each of our programs only settings that it reads', () => {
    for (const [name, container] of containers) {
      const program = programOf(container)
      if (program === undefined) continue
      // The last is Node's own.
      const known = new Set([...settingsOf(program), 'NODE_OPTIONS'])
      const own = Object.keys(container.environment ?? {})
      expect(own.filter((variable) => !known.has(variable)), name).toEqual([])
      expect(own, name).toEqual(expect.arrayContaining(['KAFKA_BROKERS', 'REDIS_URLS', 'CLICKHOUSE_URL', 'CLICKHOUSE_USER', 'CLICKHOUSE_PASSWORD']))
    }
    const embedded = file.services['millrace']
    for (const variable of Object.keys(embedded?.environment ?? {})) expect([...upSettings()]).toContain(variable)
  })

  it('names in .env.example every variable that it asks for', () => {
    const asked = new Set([...text(path).replaceAll('$$', '').matchAll(/\$\{(\w+)/g)].map((match) => match[1]!))
    const offered = new Set([...text('.env.example').matchAll(/^(\w+)=/gm)].map((match) => match[1]!))
    expect([...asked].filter((name) => !offered.has(name))).toEqual([])
  })
})

describe('what belongs together', () => {
  const stack = compose('docker-compose.yml').services
  const cluster = compose('docker-compose.cluster.yml').services

  it('.env.example offers no password, and nothing that no file asks for', () => {
    const rows = [...text('.env.example').matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => ({ name: name!, value }))
    const asked = composeFiles.map(text).join('')
    for (const { name, value } of rows) {
      expect(asked, name).toContain(`\${${name}`)
      if (/PASSWORD|SECRET/.test(name)) expect(value, name).toBe('')
    }
  })

  it('names our image after this version, and the engines alike in both files', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
    expect(stack['set-up']?.image).toBe(`millrace-stack:${version}`)
    const images = (services: Readonly<Record<string, ComposeService>>): readonly string[] => [...new Set(Object.values(services).map(({ image }) => image))]
    const known = [...images(stack), images(stack).find((image) => image.startsWith('clickhouse/'))!.replace('-server', '-keeper')]
    expect(images(cluster).filter((image) => !known.includes(image))).toEqual([])
  })

  it('runs the Kafka that the tests run, with the settings that its clients stand on', () => {
    const broker = ['infra/local/kafka/broker.mjs', 'packages/testkit/src/kafka.ts'].filter(exists).map(text).join('\n')
    const release = stack['kafka']!.image.split(':')[1]!
    expect(broker + (exists('infra/local/kafka/jars.mjs') ? text('infra/local/kafka/jars.mjs') : '')).toContain(`'${release}'`)
    const properties = serverProperties({ folder: '', port: 1, controllerPort: 2, cleanupIntervalMs: 1_000, nodeId: 1, controllerPorts: [2] })
    for (const name of ['group.min.session.timeout.ms', 'group.initial.rebalance.delay.ms', 'auto.create.topics.enable', 'offsets.retention.minutes']) {
      const tested = String(properties[name])
      for (const kafka of [stack['kafka'], cluster['kafka-1']]) expect(kafka?.environment?.[`KAFKA_${name.toUpperCase().replaceAll('.', '_')}`], name).toBe(tested)
    }
  })

  it('gives each Kafka its own number, and all of a cluster one id of 16 bytes', () => {
    const brokers = Object.entries(cluster).filter(([name]) => name.startsWith('kafka-')).map(([, { environment }]) => environment!)
    expect(brokers.map((env) => env['KAFKA_NODE_ID'])).toEqual(['1', '2', '3'])
    for (const env of [...brokers, stack['kafka']!.environment!]) expect(Buffer.from(env['CLUSTER_ID']!, 'base64url')).toHaveLength(16)
    expect(new Set(brokers.map((env) => env['CLUSTER_ID'])).size).toBe(1)
    expect(brokers[0]).toMatchObject({ KAFKA_DEFAULT_REPLICATION_FACTOR: '3', KAFKA_MIN_INSYNC_REPLICAS: '2' })
  })

  it('gives each copy of a service a slot of its own', () => {
    for (const service of ['ingest', 'profile-builder', 'segmentation', 'metrics']) {
      expect(stack[service]?.environment?.['COPY_SLOT']).toBe('0')
      expect([0, 1].map((slot) => cluster[`${service}-${slot}`]?.environment?.['COPY_SLOT'])).toEqual(['0', '1'])
    }
  })

  it('lets each service answer under the name by which Prometheus asks', () => {
    const ours = [...Object.entries(stack), ...Object.entries(cluster)].filter(([, container]) => programOf(container)?.startsWith('services/'))
    expect(ours.filter(([name, { environment }]) => !environment?.['HOST_NAMES']?.split(',').includes(name))).toEqual([])
  })
})

/** Containers that wait for each other in a ring. */
const cycles = (services: Readonly<Record<string, ComposeService>>): readonly string[] => {
  const reaches = (from: string, to: string, seen = new Set<string>()): boolean =>
    Object.keys(services[from]?.depends_on ?? {}).some((next) => next === to || (!seen.has(next) && reaches(next, to, seen.add(next))))
  return Object.keys(services).filter((name) => reaches(name, name))
}
