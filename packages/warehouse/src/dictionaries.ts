import type { ColumnStore } from '@millrace/ports'

/** How many placements the delta may hold before the base is read again. */
export const DELTA_ROWS_MAX = 20_000

/**
 * Makes placements visible that were inserted before. `delta` after each insert into `numbers`; `base` when
 * the delta has grown over DELTA_ROWS_MAX, or nightly.
 */
export const reloadNumbers = async (columns: ColumnStore, which: 'base' | 'delta'): Promise<void> => {
  if (which === 'base') await rebase(columns)
  await columns.command('SYSTEM RELOAD DICTIONARY millrace_store.person_delta')
}

/**
 * The order matters: the versions are read before the base, so the base holds at least those; they are written
 * after it, so the delta never leaves out what an old base lacks.
 */
const rebase = async (columns: ColumnStore): Promise<void> => {
  const versions = await columns.query<{ project: number; version: number }>(
    'SELECT project, max(version) AS version FROM millrace_store.numbers GROUP BY project ORDER BY project',
  )
  await columns.command('SYSTEM RELOAD DICTIONARY millrace_store.person_base')
  if (versions.length === 0) return
  await columns.insert({
    table: 'millrace_store.person_base_versions',
    rows: Buffer.from(versions.map((row) => JSON.stringify(row)).join('\n') + '\n'),
    token: `base-${versions.map((row) => `${row.project}.${row.version}`).join('-')}`,
  })
}

/** Rows in the delta as last loaded. */
export const deltaRows = async (columns: ColumnStore): Promise<number> => {
  const rows = await columns.query<{ n: number }>(
    "SELECT element_count AS n FROM system.dictionaries WHERE database = 'millrace_store' AND name = 'person_delta'",
  )
  return rows[0]?.n ?? 0
}
