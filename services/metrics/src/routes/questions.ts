import {
  funnelQuestion,
  ProblemError,
  retentionQuestion,
  trendsQuestion,
  type ErrorCode,
  type Project,
} from '@millrace/contracts'
import { callerOf, type RouteDocs } from '@millrace/service-kit'
import type { FastifyPluginAsync } from 'fastify'
import type { z } from 'zod'
import { askFunnel, askRetention, askTrends, type Asking } from '../questions/ask.ts'

/** What a question to the column store may be refused with. */
export const QUESTION_CODES: readonly ErrorCode[] = ['QUESTION_INVALID', 'QUERY_TOO_LARGE', 'QUERY_TIMEOUT', 'STORE_UNAVAILABLE']

/** POST /api/metrics/<question>: one file of the catalog each. */
export const questionRoutes = (asking: Asking): FastifyPluginAsync => async (app) => {
  const question = <Schema extends z.ZodType>(
    name: string,
    summary: string,
    schema: Schema,
    ask: (asking: Asking, project: Project, question: z.output<Schema>) => Promise<unknown>,
  ): void => {
    const docs: RouteDocs = { summary, access: 'api-key', body: schema, answer: { description: 'The answer and its definition.' }, codes: QUESTION_CODES }
    app.post(`/api/metrics/${name}`, { config: { docs } }, (request) => ask(asking, callerOf(request).project, parseQuestion(schema, request.body)))
  }
  question('trends', 'How often, how many, how much, by period.', trendsQuestion, (...asked) => askTrends(...asked))
  question('retention', 'Who came back, by the period of the first time.', retentionQuestion, (...asked) => askRetention(...asked))
  question('funnel', 'How many people took each step in order.', funnelQuestion, (...asked) => askFunnel(...asked))
}

/** @throws ProblemError QUESTION_INVALID with every fault and where it lies */
export const parseQuestion = <Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> => {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map((issue) => ({ at: issue.path.join('.'), detail: issue.message }))
  const [first] = faults
  throw new ProblemError('QUESTION_INVALID', first && `${first.at ? `${first.at}: ` : ''}${first.detail}`, { faults })
}
