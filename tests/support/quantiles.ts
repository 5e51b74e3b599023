/** The smallest value that at least this share of the values do not exceed. */
export const quantile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.max(0, Math.ceil(share * values.length) - 1)] ?? Number.NaN

/** Measured milliseconds as one line of a report. */
export const told = (name: string, values: readonly number[]): string => {
  const at = (share: number): string => String(Math.round(quantile(values, share))).padStart(6)
  return `  ${name.padEnd(28)} p50 ${at(0.5)}   p99 ${at(0.99)}   max ${at(1)}   (ms, ${values.length} measured)`
}
