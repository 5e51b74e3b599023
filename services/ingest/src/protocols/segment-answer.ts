import { ProblemError } from '@millrace/contracts'
import { PROBLEM_TYPE, toProblem } from '@millrace/service-kit'
import type { Wire } from '../domain/wire.ts'
import type { Answer, Taken } from './protocol.ts'

/** The answer to a batch: what is refused is told by its place, and the rest has been taken. */
export const answerBatch = ({ accepted, rejected }: Taken): Answer => ({
  status: 200,
  body: rejected.length === 0
    ? `{"success":true,"accepted":${accepted},"rejected":[]}`
    : JSON.stringify({ success: true, accepted, rejected: rejected.map(({ index, refusal }) => ({ index, code: refusal.code, detail: refusal.detail })) }),
})

/** The answer to a request of one event, if it was refused. */
export const refusedSingle = (wire: Wire, { rejected: [refused] }: Taken): Answer | undefined => {
  if (!refused) return undefined
  const problem = new ProblemError(refused.refusal.code, refused.refusal.detail)
  return { status: problem.status, type: PROBLEM_TYPE, body: JSON.stringify(toProblem(problem, wire.requestId)) }
}
