import type { ColumnStore } from '@millrace/ports'
import { DELTA_ROWS_MAX, deltaRows, reloadNumbers } from '@millrace/warehouse'

/**
 * Lets queries see a new map number → person: the small delta after each change, the whole base when the delta has
 * grown. One reading at a time.
 */
export const createMapReader = (columns: ColumnStore, deltaRowsMax = DELTA_ROWS_MAX) => {
  let last: Promise<void> = Promise.resolve()
  const read = async (): Promise<void> => {
    await reloadNumbers(columns, 'delta')
    if ((await deltaRows(columns)) > deltaRowsMax) await reloadNumbers(columns, 'base')
  }
  return {
    /** Resolves when everything that was inserted before the call is seen. */
    read: (): Promise<void> => (last = last.then(read, read)),
  }
}
