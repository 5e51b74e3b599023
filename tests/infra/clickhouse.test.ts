import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createChdbStore } from '@millrace/adapters'
import type { ColumnStore } from '@millrace/ports'
import { migrate } from '@millrace/warehouse'
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { composeFiles, compose, exists, text } from './files.ts'

const FILES = ['config.d/millrace.xml', 'users.d/millrace.xml', 'cluster/cluster.xml', 'cluster/keeper.xml'].map((file) => `infra/clickhouse/${file}`)

type Node = { readonly [name: string]: Node | string }
const parsed = (path: string): Node =>
  (new XMLParser({ ignoreAttributes: true, parseTagValue: false }).parse(text(path)) as { clickhouse: Node }).clickhouse
const users = parsed('infra/clickhouse/users.d/millrace.xml')
const profile = (name: string): Node => (users['profiles'] as Node)[name] as Node

interface AnalystModule {
  analystSql(analyst: { project: number; passwordHash: string }): readonly string[]
  dropAnalystSql(project: number): readonly string[]
  storeObjects(): { readonly shared: readonly string[]; readonly ofProjects: readonly string[]; readonly dictionaries: readonly string[] }
}
const { analystSql, dropAnalystSql, storeObjects } = (await import(new URL('../../infra/clickhouse/analyst-sql.mjs', import.meta.url).href)) as AnalystModule
const passwordHash = 'ab'.repeat(32)

describe('the files of ClickHouse', () => {
  it.each(FILES)('%s is well-formed, and holds no password', (path) => {
    expect(XMLValidator.validate(text(path))).toBe(true)
    expect(Object.keys(parsed(path)).length).toBeGreaterThan(0)
    for (const [, value] of text(path).matchAll(/<(?:password\w*|secret)>([^<]*)</g)) expect(value).toBe('')
  })

  it('read from the environment only what compose gives', () => {
    for (const path of FILES) {
      const asked = [...text(path).matchAll(/from_env="(\w+)"/g)].map((match) => match[1]!)
      const mounting = composeFiles.flatMap((file) => Object.values(compose(file).services)).filter(({ volumes = [] }) => volumes.some((volume) => volume.startsWith(`./${path}:`)))
      expect(mounting.length, path).toBeGreaterThan(0)
      for (const { environment = {} } of mounting) expect(Object.keys(environment), path).toEqual(expect.arrayContaining(asked))
    }
  })

  it('let nobody in without a password but the engine itself', () => {
    for (const [name, user] of Object.entries(users['users'] as Record<string, Node>)) {
      if (!('no_password' in user)) continue
      expect(name).toBe('default')
      expect((user['networks'] as unknown as { ip: string[] }).ip).toEqual(['127.0.0.1', '::1'])
      expect((user['grants'] as Node)['query']).toBe('GRANT SELECT ON millrace_store.*')
    }
  })

  it('let an analyst read only, with an error over every bound', () => {
    const analyst = profile('analyst')
    expect(analyst).toMatchObject({ readonly: '1', allow_ddl: '0' })
    const modes = Object.entries(analyst).filter(([name]) => name.endsWith('overflow_mode'))
    expect(modes.length).toBeGreaterThan(5)
    for (const [name, mode] of modes) expect(mode, name).toBe('throw')
  })

  it('bound every log that the engine keeps of itself, or take it away', () => {
    const config = text('infra/clickhouse/config.d/millrace.xml')
    const logs = [...config.matchAll(/<(\w+_log) (remove|replace)="\w+"(\/?)>([^]*?)(?=\n {4}<(?!\/))/g)]
    expect(logs.length).toBeGreaterThan(15)
    for (const [, name, how, , body] of logs) if (how === 'replace') expect(body, name).toMatch(/TTL event_date \+ INTERVAL \d+ DAY DELETE/)
  })
})

/** The engine in process is the same as the server but for its users: it says whether names and statements are right. */
describe('on the engine', () => {
  let folder: string
  let columns: ColumnStore

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-infra-clickhouse-'))
    columns = createChdbStore({ path: folder })
    await migrate(columns)
  })
  afterAll(async () => {
    await columns.close()
    await rm(folder, { recursive: true })
  })
  const namesIn = async (table: string, settings = {}): Promise<ReadonlySet<string>> =>
    new Set((await columns.query<{ name: string }>(`SELECT name FROM system.${table}`, { settings })).map(({ name }) => name))

  it('every setting of a profile is one of the engine', async () => {
    const known = await namesIn('settings')
    for (const name of ['default', 'analyst']) expect(Object.keys(profile(name)).filter((setting) => !known.has(setting)), name).toEqual([])
  })

  it('every setting of the server and of tables is one of the engine', async () => {
    // Sections and ports, which the engine in process does not have.
    const SECTIONS = /^(logger|prometheus|access_control_improvements|zookeeper|macros|remote_servers|distributed_ddl|user_directories|merge_tree|listen_host|\w+_log|\w+_port)$/
    const known = await namesIn('server_settings')
    const leaves = ['infra/clickhouse/config.d/millrace.xml', 'infra/clickhouse/cluster/cluster.xml'].flatMap((path) => Object.keys(parsed(path)))
    expect(leaves.filter((name) => !SECTIONS.test(name) && !known.has(name))).toEqual([])
    const ofTables = await namesIn('merge_tree_settings')
    expect(Object.keys(parsed('infra/clickhouse/cluster/cluster.xml')['merge_tree'] as Node).filter((name) => !ofTables.has(name))).toEqual([])
  })

  it('the tables of the kept logs can be made as they are told', async () => {
    const engines = [...text('infra/clickhouse/config.d/millrace.xml').matchAll(/<table>(\w+)<\/table>\s*<engine>([^<]+)</g)]
    for (const [, table, engine] of engines) await columns.command(`CREATE TABLE default.${table} (event_date Date, event_time DateTime) ${engine}`)
    expect(engines.length).toBe(text('infra/clickhouse/config.d/millrace.xml').match(/_log replace=/g)?.length)
  })

  it('every series of ClickHouse that rules and dashboards ask for is told by it', async () => {
    // Counted once a minute by a server, not by the engine in process; read in the documentation.
    const ASYNCHRONOUS = new Set(['MaxPartCountForPartition', 'DiskAvailable_default', 'DiskTotal_default'])
    const known = { Metrics: await namesIn('metrics'), ProfileEvents: await namesIn('events', { system_events_show_zero_values: 1 }), AsyncMetrics: ASYNCHRONOUS }
    const asked = ['infra/prometheus/rules.yml', ...['flow', 'consumers', 'engines'].map((name) => `infra/grafana/dashboards/${name}.json`)]
      .flatMap((path) => [...text(path).matchAll(/ClickHouse(Metrics|ProfileEvents|AsyncMetrics)_(\w+)/g)])
    expect(asked.length).toBeGreaterThan(8)
    for (const [series, kind, name] of asked) expect(known[kind as keyof typeof known].has(name!), series).toBe(true)
  })

  it('every statement that makes or drops an analyst is one that the engine can read', async () => {
    for (const statement of [...analystSql({ project: 7, passwordHash }), ...dropAnalystSql(7)]) {
      const [row] = await columns.query<{ formatted: string }>(`SELECT formatQuerySingleLine('${statement.replaceAll("'", "\\'")}') AS formatted`)
      expect(row?.formatted.length, statement).toBeGreaterThan(10)
    }
  })

  it('the views of an analyst show the one project', async () => {
    await columns.command(`INSERT INTO millrace_store.rules SETTINGS async_insert=0 VALUES (7, 'a', 1, 'own', '{}', false, 0), (8, 'b', 1, 'of another', '{}', false, 0)`)
    // The reader is a user of the server; the engine in process has one user.
    const made = analystSql({ project: 7, passwordHash }).filter((statement) => /^CREATE (DATABASE|OR REPLACE VIEW)/.test(statement))
    for (const statement of made) await columns.command(statement.replace('DEFINER = reader_p7', 'DEFINER = CURRENT_USER'))
    expect(await columns.query('SELECT project, name FROM analyst_p7.segments')).toEqual([{ project: 7, name: 'own' }])
    for (const view of ['events', 'people', 'identities', 'memberships', 'flips', 'ledger']) expect(await columns.query(`SELECT * FROM analyst_p7.${view}`), view).toEqual([])
  })

  it('a policy stands on every table that has a project, and everything that views read is granted to the reader alone', async () => {
    const tables = await columns.query<{ table: string; own: number }>(
      `SELECT table, countIf(name = 'project') AS own FROM system.columns WHERE database = 'millrace_store' AND table IN (SELECT name FROM system.tables WHERE database = 'millrace_store' AND engine LIKE '%MergeTree') GROUP BY table ORDER BY table`,
    )
    const { shared, ofProjects } = storeObjects()
    expect(ofProjects).toEqual(tables.filter(({ own, table }) => own === 1 && table !== 'migrations').map(({ table }) => table))
    expect(shared).toEqual(tables.filter(({ own, table }) => own === 0 && table !== 'migrations').map(({ table }) => table))
    const statements = analystSql({ project: 7, passwordHash })
    expect(statements.filter((statement) => statement.startsWith('CREATE ROW POLICY')).length).toBe(ofProjects.length)
    expect(statements.filter((statement) => /^GRANT .* TO analyst_p7$/.test(statement))).toEqual(['GRANT SELECT ON analyst_p7.* TO analyst_p7'])
  })

  it('a number of a project that is none makes no statement', () => {
    for (const project of [0, -1, 1.5, Number.NaN, 70_000]) expect(() => analystSql({ project, passwordHash })).toThrow(/number/)
    expect(() => analystSql({ project: 7, passwordHash: "x' OR 1" })).toThrow(/SHA-256/)
    expect(exists('infra/clickhouse/analyst-sql.mjs')).toBe(true)
  })
})
