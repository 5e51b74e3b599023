import { cpus, loadavg, totalmem } from 'node:os'

export interface Figure {
  readonly group: string
  readonly name: string
  readonly value: string
  readonly unit: string
  /** How it was measured, short. */
  readonly how: string
}

export interface Figures {
  /** Prints the figure at once, so that a run that is broken off was not for nothing. */
  add(group: string, name: string, value: number | string, unit: string, how: string): void
  table(): string
}

export const createFigures = (print: (line: string) => void): Figures => {
  const all: Figure[] = []
  return {
    add: (group, name, value, unit, how) => {
      const figure = { group, name, value: typeof value === 'number' ? rounded(value) : value, unit, how }
      all.push(figure)
      print(`${group}: ${name}: ${figure.value} ${unit}`)
    },
    table: () => [
      '| part | figure | value | unit | how |',
      '|---|---|---:|---|---|',
      ...all.map(({ group, name, value, unit, how }, at) => `| ${all[at - 1]?.group === group ? '' : group} | ${name} | ${value} | ${unit} | ${how} |`),
    ].join('\n'),
  }
}

/** Three digits are more than such a figure is good for. */
const rounded = (value: number): string =>
  Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)))

export const machine = (): string => {
  const [first] = cpus()
  return `${cpus().length} × ${first?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, load average ${loadNow()}`
}

/** Of the last minute: above the number of cores, others were at work too and times are too long. */
export const loadNow = (): string => loadavg()[0]!.toFixed(1)

export const percentile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
}

/** `p50 / p99` of times in milliseconds. */
export const p50p99 = (values: readonly number[]): string => [0.5, 0.99].map((share) => rounded(percentile(values, share))).join(' / ')
