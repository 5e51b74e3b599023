import { StoreError, type ColumnStore } from '@millrace/ports'
import type { DictionaryUser } from './macros.ts'

/** How many placements the delta may hold before the base is read again. */
export const DELTA_ROWS_MAX = 20_000

/**
 * Makes placements visible that were inserted before. `delta` after each insert into `numbers`; `base` when
 * the delta has grown over DELTA_ROWS_MAX, or nightly.
 */
export const reloadNumbers = async (columns: ColumnStore, which: 'base' | 'delta'): Promise<void> => {
  if (which === 'base') await rebaseNumbers(columns)
  await columns.command('SYSTEM RELOAD DICTIONARY millrace_store.person_delta')
}

/**
 * Reads the base again, so that the next reading of the delta is a small one. Until then the delta has all that the base
 * lacks: it may be read at any time meanwhile. The order matters: the versions are read before the base, so the base holds at least those; they are written
 * after it, so the delta never leaves out what an old base lacks.
 */
export const rebaseNumbers = async (columns: ColumnStore): Promise<void> => {
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

const CREATE = 'CREATE DICTIONARY IF NOT EXISTS '

/**
 * Dictionaries hold the name and the password of the user that they read as, so they are made again when these do not
 * hold any more. Whether they are let in is tried with the small one.
 * @param statements of all migrations, written out
 * @throws StoreError when nobody is let in
 */
export const authorizeDictionaries = async (columns: ColumnStore, statements: readonly string[], user: DictionaryUser | null): Promise<void> => {
  if ((await refusal(columns)) === null) return
  for (const statement of statements.filter((text) => text.startsWith(CREATE))) {
    await columns.command(statement.replace(CREATE, 'CREATE OR REPLACE DICTIONARY '))
  }
  const still = await refusal(columns)
  if (still === null) return
  const why = user === null ? "the server's user default has a password, or is not there: set dictionaryUser" : `the server does not let ${user.name} in`
  throw new StoreError(still.code, `dictionaries cannot read the tables: ${why}`)
}

/** UNKNOWN_USER, WRONG_PASSWORD, REQUIRED_PASSWORD, AUTHENTICATION_FAILED. */
const NOT_LET_IN: ReadonlySet<number> = new Set([192, 193, 194, 516])

const refusal = (columns: ColumnStore): Promise<StoreError | null> =>
  columns.command('SYSTEM RELOAD DICTIONARY millrace_store.person_delta').then(
    () => null,
    (error: unknown) => {
      if (error instanceof StoreError && NOT_LET_IN.has(error.code)) return error
      throw error
    },
  )
