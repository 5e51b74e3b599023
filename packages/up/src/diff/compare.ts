import type { FolderRows } from './rows.ts'

/** One view of two folders. */
export interface ViewDiff {
  readonly view: string
  readonly columns: readonly string[]
  readonly rowsA: number
  readonly rowsB: number
  /** The fewest rows that would have to be changed, added or taken away to make one of the other. */
  readonly differing: number
  readonly examples: readonly Example[]
}

/** A row that differs, or (one side null) a row that the other folder has not. */
export interface Example {
  readonly a: Row | null
  readonly b: Row | null
}
export type Row = readonly unknown[]

/** Rows of one side that are looked through for the partner of a row of the other. */
const KEPT_MAX = 200

/** Reads both folders to their ends. Rows are equal when all their columns are, to the byte. @throws when the views differ */
export async function* compareFolders(a: FolderRows, b: FolderRows, examplesMax: number): AsyncGenerator<ViewDiff> {
  for (;;) {
    const [ofA, ofB] = await Promise.all([a.view(), b.view()])
    if (JSON.stringify(ofA) !== JSON.stringify(ofB)) throw new Error(`the folders have other views: ${JSON.stringify(ofA)} and ${JSON.stringify(ofB)}`)
    if (!ofA) return
    const { rowsA, rowsB, onlyA, onlyB } = await compareRows(a, b)
    const differing = Math.max(onlyA.count, onlyB.count)
    yield { ...ofA, rowsA, rowsB, differing, examples: pairs(onlyA.kept, onlyB.kept).slice(0, examplesMax) }
  }
}

const compareRows = async (a: FolderRows, b: FolderRows) => {
  const [onlyA, onlyB] = [new Only(), new Only()]
  let [rowsA, rowsB] = [0, 0]
  let [rowA, rowB] = await Promise.all([a.row(), b.row()])
  while (rowA || rowB) {
    const order = !rowA ? 1 : !rowB ? -1 : Buffer.compare(rowA, rowB)
    if (order < 0) onlyA.add(rowA!)
    if (order > 0) onlyB.add(rowB!)
    if (order <= 0) {
      rowsA++
      rowA = await a.row()
    }
    if (order >= 0) {
      rowsB++
      rowB = await b.row()
    }
  }
  return { rowsA, rowsB, onlyA, onlyB }
}

class Only {
  count = 0
  readonly kept: Row[] = []

  add(row: Buffer): void {
    this.count++
    if (this.kept.length < KEPT_MAX) this.kept.push(JSON.parse(row.toString('utf8')) as Row)
  }
}

/** Each row with the one of the other side that is most like it: at least half of its columns are equal. */
const pairs = (onlyA: readonly Row[], onlyB: readonly Row[]): readonly Example[] => {
  const left = [...onlyB]
  const examples = onlyA.map((a): Example => {
    const likeness = left.map((b) => equalColumns(a, b))
    const best = likeness.indexOf(Math.max(...likeness))
    if (best < 0 || likeness[best]! * 2 < a.length) return { a, b: null }
    return { a, b: left.splice(best, 1)[0]! }
  })
  return [...examples, ...left.map((b) => ({ a: null, b }))]
}

const equalColumns = (a: Row, b: Row): number => a.filter((value, column) => isSame(value, b[column])).length

export const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)
