import type { ColumnStore } from '@millrace/ports'
import { DELTA_ROWS_MAX, deltaRows, rebaseNumbers, reloadNumbers } from '@millrace/warehouse'

/**
 * Lets queries see a new map number → person: the small delta after each change, one reading at a time. When the delta has
 * grown, the whole base is read beside it, which takes a second at a million numbers: no change waits for that.
 */
export const createMapReader = (columns: ColumnStore, onFault: (error: unknown) => void, deltaRowsMax = DELTA_ROWS_MAX) => {
  let last: Promise<void> = Promise.resolve()
  let rebasing: Promise<void> | null = null
  const readDelta = async (): Promise<void> => {
    await reloadNumbers(columns, 'delta')
    if (rebasing === null && (await deltaRows(columns)) > deltaRowsMax) rebasing = rebase()
  }
  const rebase = async (): Promise<void> => {
    try {
      await rebaseNumbers(columns)
      // The delta is still large: it is read once more, and this base counts as done.
      await (last = last.then(readAfterBase, readAfterBase))
    } catch (error) {
      // The delta has everything; the next change tries again.
      onFault(error)
    } finally {
      rebasing = null
    }
  }
  const readAfterBase = (): Promise<void> => reloadNumbers(columns, 'delta')
  return {
    /** Resolves when everything that was inserted before the call is seen. */
    read: (): Promise<void> => (last = last.then(readDelta, readDelta)),
    /** Resolves when no base is being read. */
    settled: async (): Promise<void> => void (await rebasing),
  }
}
