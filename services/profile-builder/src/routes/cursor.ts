import { ProblemError } from '@millrace/contracts'
import type { z } from 'zod'

/** Where the next page starts: opaque to callers, so that it may change. */
export const encodeCursor = (position: unknown): string => Buffer.from(JSON.stringify(position)).toString('base64url')

/** @throws BAD_REQUEST for a cursor that no answer gave */
export const decodeCursor = <Schema extends z.ZodType>(schema: Schema, cursor: string | undefined): z.output<Schema> | null => {
  if (cursor === undefined) return null
  try {
    return schema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')))
  } catch {
    throw new ProblemError('BAD_REQUEST', 'after is not a cursor of an answer before')
  }
}
