import { covers, partNamed, type PartName } from './part-name.ts'

/** What is asked of the engine here; statements wait for a connection like any other. */
export interface Engine {
  command(sql: string): Promise<void>
  query<Row>(sql: string): Promise<readonly Row[]>
}

/**
 * Reads every part of every table and takes out those whose files are not whole. An inserted one is dropped, which
 * forgets its token, too: the same insert sent again is stored. For a merged one the table is opened again, so that
 * the sources, which are kept for seconds, take its place.
 * @param canWrite whether there is room to drop parts; without it, tables with broken inserts are left for later
 */
export const repairParts = async (engine: Engine, { canWrite }: { readonly canWrite: boolean }): Promise<void> => {
  const tables = await engine.query<{ name: string }>(
    "SELECT concat(database, '.', name) AS name FROM system.tables WHERE engine LIKE '%MergeTree' AND database != 'system' ORDER BY name")
  for (const { name } of tables) {
    const broken = await brokenParts(engine, name)
    const inserted = broken.filter(({ first, last }) => first === last)
    if (inserted.length > 0 && !canWrite) continue
    for (const part of inserted) await engine.command(`ALTER TABLE ${name} DROP PART '${part.name}'`)
    if (inserted.length < broken.length) await reopen(engine, name, broken.filter((part) => !inserted.includes(part)))
  }
}

interface Part extends PartName {
  readonly name: string
}

const brokenParts = async (engine: Engine, table: string): Promise<readonly Part[]> => {
  const checked = await engine.query<{ part_path: string; is_passed: number }>(`CHECK TABLE ${table} SETTINGS check_query_single_value_result = 0`)
  return checked.filter(({ is_passed }) => Number(is_passed) === 0).map(({ part_path }) => partOf(part_path.replace(/\/$/, '').split('/').at(-1)!))
}

const partOf = (name: string): Part => ({ name, ...(partNamed(name) ?? { partition: '', first: NaN, last: NaN }) })

const reopen = async (engine: Engine, table: string, merged: readonly Part[]): Promise<void> => {
  await engine.command(`DETACH TABLE ${table} SYNC`)
  await engine.command(`ATTACH TABLE ${table}`)
  const [database, name] = table.split('.')
  const active = await engine.query<{ name: string }>(`SELECT name FROM system.parts WHERE active AND database = '${database}' AND table = '${name}'`)
  for (const part of merged) {
    const isBack = active.some((one) => covers(part, partOf(one.name)))
    // One whose sources are gone stays where the next start finds it and says so.
    if (isBack) await engine.command(`ALTER TABLE ${table} DROP DETACHED PART 'broken-on-start_${part.name}' SETTINGS allow_drop_detached = 1`)
  }
}
