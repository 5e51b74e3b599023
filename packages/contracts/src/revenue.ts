const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/
const DIGITS = 4
/** 14 digits before the point: what Decimal(18,4) of the warehouse holds. */
const LIMIT = 10n ** 18n

/**
 * An amount as decimal text with at most 4 fraction digits (half to even), or null when it is no amount.
 * Texts with signs of currency or separators of thousands are refused: `1,234` has two readings.
 */
export const moneyOf = (value: unknown): string | null => {
  const units = unitsOf(value)
  return units === null ? null : formatUnits(units)
}

/** The same amount in 1/10000, to be added as whole numbers. */
export const unitsOf = (value: unknown): bigint | null => {
  if (typeof value !== 'number' && typeof value !== 'string') return null
  const parts = DECIMAL.exec(String(value).trim())
  const digits = parts ? (parts[2] ?? '') + (parts[3] ?? '') : ''
  if (!parts || digits === '' || digits.length > 400) return null
  const scaled = scale(BigInt(digits), DIGITS - (parts[3]?.length ?? 0) + Number(parts[4] ?? 0))
  if (scaled >= LIMIT) return null
  return parts[1] === '-' ? -scaled : scaled
}

/** Whole 1/10000 as decimal text without idle zeros: 125000n is `12.5`. */
export const formatUnits = (units: bigint): string => {
  const size = (units < 0n ? -units : units).toString().padStart(DIGITS + 1, '0')
  const fraction = size.slice(-DIGITS).replace(/0+$/, '')
  return `${units < 0n ? '-' : ''}${size.slice(0, -DIGITS)}${fraction ? `.${fraction}` : ''}`
}

const scale = (digits: bigint, power: number): bigint => {
  // Beyond these powers the answer is over the limit, or nothing is left of it.
  if (power >= 0) return digits === 0n ? 0n : digits * 10n ** BigInt(Math.min(power, 40))
  if (power < -1000) return 0n
  const divisor = 10n ** BigInt(-power)
  const [whole, rest] = [digits / divisor, (digits % divisor) * 2n]
  return rest > divisor || (rest === divisor && whole % 2n === 1n) ? whole + 1n : whole
}

const COMPLETED = 'Order Completed'
const REFUNDED = 'Order Refunded'
/** Their `revenue` is that of an order that has an event of its own; counting it would count the order twice. */
const REPEATS_AN_ORDER: ReadonlySet<string> = new Set([
  'Cart Viewed', 'Checkout Started', 'Checkout Step Viewed', 'Checkout Step Completed', 'Payment Info Entered',
  'Order Updated', 'Order Cancelled',
])

/**
 * What an event brought in: `properties.revenue`; of an order also `total`, else `value`. A refund is negative
 * whatever sign its sender used.
 */
export const revenueOf = (event: string, properties: Readonly<Record<string, unknown>>): string | null => {
  if (REPEATS_AN_ORDER.has(event)) return null
  if (event !== COMPLETED && event !== REFUNDED) return moneyOf(properties['revenue'])
  const units = unitsOf(properties['revenue']) ?? unitsOf(properties['total']) ?? unitsOf(properties['value'])
  if (units === null) return null
  return formatUnits(event === REFUNDED && units > 0n ? -units : units)
}
