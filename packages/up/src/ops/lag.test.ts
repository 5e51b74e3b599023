import { describe, expect, it } from 'vitest'
import { readExposition } from './exposition.ts'
import { lagRows, missingGroups, newestRows } from './lag.ts'
import { table } from './table.ts'

const figures = (position: number, end: number): string =>
  ['position', 'end', 'lag_records'].map((name, index) =>
    `millrace_consumer_${name}{group="sink",topic="events.resolved",partition="3"} ${[position, end, end - position][index]}`).join('\n')

describe('the lag', () => {
  it('is read from the figures of a process', () => {
    expect(lagRows(readExposition(`# HELP x y\n${figures(4, 9)}\nother{a="b"} 1\n`))).toEqual([
      { group: 'sink', topic: 'events.resolved', partition: 3, position: 4, end: 9, lag: 5 },
    ])
  })

  it('of several copies is that of the one who knows most, each partition once', () => {
    const rows = newestRows([lagRows(readExposition(figures(4, 9))), lagRows(readExposition(figures(7, 8))), lagRows(readExposition(figures(7, 9)))])
    expect(rows).toMatchObject([{ position: 7, end: 9, lag: 2 }])
  })

  it('names the groups of which nobody tells', () => {
    expect(missingGroups(lagRows(readExposition(figures(1, 1))))).toEqual(['resolve', 'identity', 'fold', 'segmentation', 'ledger'])
  })
})

describe('the text format of figures', () => {
  it('keeps what stands in a label: quotes, braces, line feeds, commas', () => {
    expect(readExposition('a{x="say \\"hi\\"",y="{1,2}",z="a\\nb"} +Inf\nnonsense\nb 2\n')).toEqual([
      { name: 'a', labels: { x: 'say "hi"', y: '{1,2}', z: 'a\nb' }, value: Infinity },
      { name: 'b', labels: {}, value: 2 },
    ])
  })
})

it('puts text in columns, numbers to the right', () => {
  expect(table(['group', 'lag'], [['sink', 1200], ['fold', 3]])).toBe('group    lag\nsink   1,200\nfold       3')
  expect(table(['group', 'lag'], [])).toBe('group  lag')
})
