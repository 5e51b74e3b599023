import { StoreError, type ColumnStore } from '@millrace/ports'
import { migrationsKnown, STORE_DATABASE } from './migrate.ts'

const DATABASE_UNKNOWN = 81
const TABLE_UNKNOWN = 60

/** Why this build cannot work on the column store as it is; null when its schema is this build's. `waiting`: set-up will mend it. */
export const schemaFault = async (columns: ColumnStore): Promise<{ readonly text: string; readonly waiting: boolean } | null> => {
  const [present, known] = [await schemaOf(columns), migrationsKnown()]
  if (present === known) return null
  return present < known
    ? { text: `the column store has schema ${present} of ${known}: it waits for the set-up of this build`, waiting: true }
    : { text: `the column store has schema ${present}, this build knows ${known}: use the newer build`, waiting: false }
}

const schemaOf = async (columns: ColumnStore): Promise<number> => {
  try {
    const [row] = await columns.query<{ version: number }>(`SELECT max(version) AS version FROM ${STORE_DATABASE}.migrations`)
    return Number(row?.version ?? 0)
  } catch (error) {
    if (error instanceof StoreError && (error.code === DATABASE_UNKNOWN || error.code === TABLE_UNKNOWN)) return 0
    throw error
  }
}
