/** The quotient of money in 1/10000 by a count, rounded to 1/10000, halves away from zero. */
export const averageOf = (units: bigint, count: number): bigint => {
  const by = BigInt(count)
  const size = units < 0n ? -units : units
  const rounded = (size * 2n + by) / (by * 2n)
  return units < 0n ? -rounded : rounded
}
