import { given } from '../fields.ts'

/** What was paid back as revenue: negative whatever sign its sender used. */
export const refunded = (amount: unknown): string | undefined => (given(amount) === undefined ? undefined : `-${String(amount).trim().replace(/^[+-]/, '')}`)
