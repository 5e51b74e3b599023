// A user of one project on the ClickHouse server itself, for tools that speak to nothing else:
//   node infra/clickhouse/analyst-sql.mjs 7 | docker compose exec -T clickhouse sh -c 'CLICKHOUSE_PASSWORD="$MILLRACE_CLICKHOUSE_PASSWORD" clickhouse-client --user millrace --multiquery'
// Its password is printed once, on the error output. `--drop` prints the statements that take the user away.
import { createHash, randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const SCHEMA = new URL('../../packages/warehouse/schema/', import.meta.url)
const VIEWS = new URL('../../packages/warehouse/views/', import.meta.url)
const PROJECT_MAX = 65_535

/**
 * Two users: the analyst, who may read the views of one database; and a reader without a door, under whom those views run.
 * The reader's row policies hold on every table that has a project, so neither a view's own filter nor an analyst's
 * expression is what keeps a project's rows in. Dictionaries tell only numbers of people, and only to the reader.
 * @param {{ project: number, passwordHash: string }} analyst SHA-256 of the password, in hex
 */
export const analystSql = ({ project, passwordHash }) => {
  const n = checked(project)
  if (!/^[0-9a-f]{64}$/.test(passwordHash)) throw new Error('a SHA-256 in hex is wanted')
  const { shared, ofProjects, dictionaries } = storeObjects()
  return [
    `CREATE USER IF NOT EXISTS reader_p${n} HOST NONE`,
    ...[...shared, ...ofProjects].map((table) => `GRANT SELECT ON millrace_store.${table} TO reader_p${n}`),
    ...dictionaries.map((name) => `GRANT dictGet ON millrace_store.${name} TO reader_p${n}`),
    ...ofProjects.map((table) => `CREATE ROW POLICY OR REPLACE p${n} ON millrace_store.${table} USING project = ${n} TO reader_p${n}`),
    `GRANT SELECT ON millrace.* TO reader_p${n}`,
    `CREATE DATABASE IF NOT EXISTS analyst_p${n}`,
    ...viewNames().map(
      (view) => `CREATE OR REPLACE VIEW analyst_p${n}.${view} DEFINER = reader_p${n} SQL SECURITY DEFINER AS SELECT * FROM millrace.${view} WHERE project = ${n}`,
    ),
    `CREATE USER OR REPLACE analyst_p${n} IDENTIFIED WITH sha256_hash BY '${passwordHash}' DEFAULT DATABASE analyst_p${n} SETTINGS PROFILE 'analyst'`,
    `GRANT SELECT ON analyst_p${n}.* TO analyst_p${n}`,
    `CREATE QUOTA OR REPLACE analyst_p${n} FOR INTERVAL 1 hour MAX queries = 2000, errors = 500, result_rows = 100000000, execution_time = 3600 TO analyst_p${n}`,
  ]
}

/** @param {number} project */
export const dropAnalystSql = (project) => {
  const n = checked(project)
  return [
    `DROP USER IF EXISTS analyst_p${n}`,
    `DROP QUOTA IF EXISTS analyst_p${n}`,
    `DROP DATABASE IF EXISTS analyst_p${n}`,
    ...storeObjects().ofProjects.map((table) => `DROP ROW POLICY IF EXISTS p${n} ON millrace_store.${table}`),
    `DROP USER IF EXISTS reader_p${n}`,
  ]
}

const checked = (project) => {
  if (!Number.isInteger(project) || project < 1 || project > PROJECT_MAX) throw new Error(`a project's number is wanted, from 1 to ${PROJECT_MAX}`)
  return project
}

/** What the warehouse holds, by its own files: a table that is new there is under a policy here. */
export const storeObjects = () => {
  const files = readdirSync(SCHEMA).filter((file) => file.endsWith('.sql')).map((file) => ({ name: file.slice(0, -4), sql: readFileSync(new URL(file, SCHEMA), 'utf8') }))
  const tables = files.filter(({ sql }) => sql.startsWith('CREATE TABLE'))
  const named = (list) => list.map(({ name }) => name).sort()
  return {
    shared: named(tables.filter(({ sql }) => !sql.includes('`project`'))),
    ofProjects: named(tables.filter(({ sql }) => sql.includes('`project`'))),
    dictionaries: named(files.filter(({ sql }) => sql.startsWith('CREATE DICTIONARY'))),
  }
}

const viewNames = () => readdirSync(VIEWS).filter((file) => file.endsWith('.sql')).map((file) => file.slice(0, -4)).sort()

const main = ([number, flag]) => {
  const project = Number(number)
  if (flag === '--drop') return dropAnalystSql(project)
  const password = randomBytes(24).toString('hex')
  const statements = analystSql({ project, passwordHash: createHash('sha256').update(password).digest('hex') })
  console.error(`user analyst_p${project}, password ${password}, database analyst_p${project}`)
  return statements
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    console.log(main(process.argv.slice(2)).map((statement) => `${statement};`).join('\n'))
  } catch (error) {
    console.error(`${error.message}: node infra/clickhouse/analyst-sql.mjs PROJECT [--drop]`)
    process.exitCode = 1
  }
}
