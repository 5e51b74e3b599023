import { scalarText } from '../fields.ts'

/** What was paid back as revenue: negative whatever sign its sender used. */
export const refunded = (amount: unknown): string | undefined => {
  const text = scalarText(amount).trim()
  return text === '' ? undefined : `-${text.replace(/^[+-]/, '')}`
}
