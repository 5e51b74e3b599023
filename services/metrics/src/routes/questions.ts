import {
  funnelQuestion,
  ProblemError,
  retentionQuestion,
  trendsQuestion,
  type Project,
} from '@millrace/contracts'
import { callerOf } from '@millrace/service-kit'
import type { FastifyPluginAsync } from 'fastify'
import type { z } from 'zod'
import { askFunnel, askRetention, askTrends, type Asking } from '../questions/ask.ts'

/** POST /api/metrics/<question>: one file of the catalog each. */
export const questionRoutes = (asking: Asking): FastifyPluginAsync => async (app) => {
  const question = <Schema extends z.ZodType>(
    name: string,
    schema: Schema,
    ask: (asking: Asking, project: Project, question: z.output<Schema>) => Promise<unknown>,
  ): void => {
    app.post(`/api/metrics/${name}`, (request) => ask(asking, callerOf(request).project, parseQuestion(schema, request.body)))
  }
  question('trends', trendsQuestion, (...asked) => askTrends(...asked))
  question('retention', retentionQuestion, (...asked) => askRetention(...asked))
  question('funnel', funnelQuestion, (...asked) => askFunnel(...asked))
}

/** @throws ProblemError QUESTION_INVALID with every fault and where it lies */
export const parseQuestion = <Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> => {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map((issue) => ({ at: issue.path.join('.'), detail: issue.message }))
  const [first] = faults
  throw new ProblemError('QUESTION_INVALID', first && `${first.at ? `${first.at}: ` : ''}${first.detail}`, { faults })
}
