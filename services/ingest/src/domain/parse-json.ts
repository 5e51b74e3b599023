import { ProblemError } from '@millrace/contracts'

/** @throws ProblemError NOT_JSON */
export const parseJson = (body: Buffer | string): unknown => {
  try {
    return JSON.parse(typeof body === 'string' ? body : body.toString('utf8'))
  } catch (error) {
    throw new ProblemError('NOT_JSON', error instanceof Error ? error.message.slice(0, 200) : undefined)
  }
}
