import { isSame, type Example, type Row, type ViewDiff } from './compare.ts'

const VALUE_CHARS_MAX = 200

export const tableHead = (): string => `${'view'.padEnd(14)}${['rows in A', 'rows in B', 'differing'].map((name) => name.padStart(14)).join('')}`

/** One line for the view, and below it what differs. */
export const viewText = ({ view, columns, rowsA, rowsB, differing, examples }: ViewDiff): string => {
  const line = `${view.padEnd(14)}${[rowsA, rowsB, differing].map((count) => count.toLocaleString('en').padStart(14)).join('')}`
  return [line, ...examples.flatMap((example) => exampleLines(columns, example))].join('\n')
}

const exampleLines = (columns: readonly string[], { a, b }: Example): readonly string[] => {
  if (!a || !b) return [`  only in ${a ? 'A' : 'B'}: ${shownRow(columns, (a ?? b)!)}`]
  const other = columns.map((_, index) => index).filter((index) => !isSame(a[index], b[index]))
  const same = columns.map((_, index) => index).filter((index) => !other.includes(index))
  return [
    `  row with ${same.slice(0, 4).map((index) => `${columns[index]}=${shown(a[index])}`).join(' ')}`,
    ...other.flatMap((index) => [`    ${columns[index]} in A: ${shown(a[index])}`, `    ${columns[index]} in B: ${shown(b[index])}`]),
  ]
}

const shownRow = (columns: readonly string[], row: Row): string => cut(columns.map((name, index) => `${name}=${shown(row[index])}`).join(' '), 3)
const shown = (value: unknown): string => cut(JSON.stringify(value), 1)
const cut = (text: string, lines: number): string => (text.length > lines * VALUE_CHARS_MAX ? `${text.slice(0, lines * VALUE_CHARS_MAX)}…` : text)
