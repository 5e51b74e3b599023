/** A JSON object. */
export type Fields = Readonly<Record<string, unknown>>

export const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)
export const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : {})
/** The value if it is a text that says something. */
export const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)
/** The value, unless it is one of the two that stand for none. */
export const given = (value: unknown): unknown => (value === null || value === '' ? undefined : value)
/** A text, number or truth as text, anything else as the empty one: an object's `toString` is its sender's own, and may be no function. */
export const scalarText = (value: unknown): string => (typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : '')
/** The number that a value is or says, else NaN. */
export const scalarNumber = (value: unknown): number => (scalarText(value).trim() === '' ? Number.NaN : Number(value))
