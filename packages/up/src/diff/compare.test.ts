import { describe, expect, it } from 'vitest'
import { compareFolders, type ViewDiff } from './compare.ts'
import { viewText } from './report.ts'
import { readRows } from './rows.ts'

const HEAD = '{"view":"people","columns":["id","name","age"]}'
const END = '{"end":true}'

/** As a process prints it, in pieces that end anywhere. */
const folder = (...lines: readonly string[]) => readRows(piecesOf(Buffer.from(lines.map((line) => `${line}\n`).join(''))))

async function* piecesOf(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7)
}

const compared = async (a: readonly string[], b: readonly string[]): Promise<readonly ViewDiff[]> => {
  const views: ViewDiff[] = []
  for await (const view of compareFolders(folder(...a), folder(...b), 5)) views.push(view)
  return views
}

describe('the comparison of two folders', () => {
  it('finds no difference between equal rows, repeated ones included', async () => {
    const rows = [HEAD, '[1,"Ann",30]', '[1,"Ann",30]', '[2,"李",31]', '{"view":"flips","columns":["id"]}', END]
    const views = await compared(rows, rows)
    expect(views.map(({ view, rowsA, rowsB, differing }) => [view, rowsA, rowsB, differing])).toEqual([['people', 3, 3, 0], ['flips', 0, 0, 0]])
  })

  it('names the column of a row that was changed', async () => {
    const [people] = await compared([HEAD, '[1,"Ann",30]', '[2,"Bob",31]', END], [HEAD, '[1,"Ann",30]', '[2,"Bob",32]', END])
    expect(people).toMatchObject({ differing: 1, examples: [{ a: [2, 'Bob', 31], b: [2, 'Bob', 32] }] })
    expect(viewText(people!)).toContain('row with id=2 name="Bob"\n    age in A: 31\n    age in B: 32')
  })

  it('counts a row that one folder has once more, and one that it has not', async () => {
    const [people] = await compared([HEAD, '[1,"Ann",30]', '[1,"Ann",30]', END], [HEAD, '[1,"Ann",30]', END])
    expect(people).toMatchObject({ rowsA: 2, rowsB: 1, differing: 1, examples: [{ a: [1, 'Ann', 30], b: null }] })
  })

  it('does not take rows for equal when a folder was not read to its end', async () => {
    await expect(compared([HEAD, '[1,"Ann",30]', END], [HEAD, '[1,"Ann",30]'])).rejects.toThrow('ended too early')
  })
})
