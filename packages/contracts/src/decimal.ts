/** units × 10^-digits, exactly. */
export interface Decimal {
  readonly units: bigint
  readonly digits: number
}

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/

/** The decimal that a finite number is written as (0.1 is a tenth), or that `textOfDecimal` wrote. */
export const decimalOf = (value: number | string): Decimal => {
  const [, sign, whole, fraction = '', power = '0'] = NUMBER.exec(String(value))!
  const units = BigInt(`${whole}${fraction}`) * (sign === '-' ? -1n : 1n)
  const digits = fraction.length - Number(power)
  return digits >= 0 ? { units, digits } : { units: units * 10n ** BigInt(-digits), digits: 0 }
}

export const addDecimals = (a: Decimal, b: Decimal): Decimal => {
  const digits = Math.max(a.digits, b.digits)
  return { units: a.units * 10n ** BigInt(digits - a.digits) + b.units * 10n ** BigInt(digits - b.digits), digits }
}

/** For JSON, which has no number of that exactness. */
export const textOfDecimal = ({ units, digits }: Decimal): string => `${units}e-${digits}`

/** The nearest number. */
export const numberOfDecimal = (decimal: Decimal): number => Number(textOfDecimal(decimal))
