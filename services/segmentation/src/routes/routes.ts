import { parseRule, ProblemError, type Project, type Rule } from '@millrace/contracts'
import { membersSql } from '@millrace/segments'
import { callerOf, requireApiKey, type RouteDocs } from '@millrace/service-kit'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import type { SegmentationConfig } from '../config.ts'
import { dialect } from '../dialect.ts'
import type { SharedDeps } from '../service.ts'
import { definitionOf, iso, parsedRule, segmentAnswer } from './answers.ts'
import { docs } from './docs.ts'
import { explainPerson } from './explain.ts'
import { flipsPage, membersPage } from './pages.ts'
import type { RuleNews } from './rule-news.ts'
import { createRulesStore } from './rules-store.ts'
import { flipsQuery, membersQuery, previewBody, segmentBody } from './schemas.ts'

type OfSegment = { Params: { id: string } }
type OfPerson = { Params: { id: string; personId: string } }

/** /api/segments. Everybody with a key of the project may read; only an admin changes. */
export const segmentRoutes = (deps: SharedDeps, config: SegmentationConfig, news: RuleNews): FastifyPluginAsync => async (app) => {
  const rules = createRulesStore({ ...deps, news, visibleMsMax: config.RULE_VISIBLE_MS_MAX })
  const [reader, admin] = [requireApiKey(deps), requireApiKey(deps, 'admin')]
  const route = (of: RouteDocs) => ({ onRequest: of.access === 'admin' ? admin : reader, config: { docs: of } })
  const projectOf = (request: FastifyRequest): Project => callerOf(request).project

  app.post('/api/segments', route(docs.create), async (request, reply) => {
    const project = projectOf(request)
    const { name, rule } = segmentBody.parse(request.body)
    const parsed = accepted(rule, project)
    if ((await rules.list(project.id)).length >= config.SEGMENTATION_SEGMENTS_MAX) throw new ProblemError('SEGMENT_BOUND')
    const segment = `s${deps.ids.secret(5)}`
    await rules.change(project.id, { segment, version: 1, name, rule })
    return reply.code(201).send({ id: segment, name, version: 1, state: 'backfilling', definition: definitionOf(project, parsed, await rules.clock()) })
  })

  app.get('/api/segments', route(docs.list), async (request) => {
    const project = projectOf(request)
    const segments = (await rules.list(project.id)).map(segmentAnswer)
    return { segments, definition: definitionOf(project, null, await rules.clock()) }
  })

  app.get<OfSegment>('/api/segments/:id', route(docs.one), async (request) => {
    const project = projectOf(request)
    const view = await rules.one(project.id, request.params.id)
    return { ...segmentAnswer(view), definition: definitionOf(project, parsedRule(view, project), await rules.clock()) }
  })

  app.put<OfSegment>('/api/segments/:id', route(docs.change), async (request) => {
    const project = projectOf(request)
    const { name, rule } = segmentBody.parse(request.body)
    const parsed = accepted(rule, project)
    const { document } = await rules.one(project.id, request.params.id)
    const version = document.version + 1
    await rules.change(project.id, { segment: document.segment, version, name, rule })
    return { id: document.segment, name, version, state: 'backfilling', definition: definitionOf(project, parsed, await rules.clock()) }
  })

  app.delete<OfSegment>('/api/segments/:id', route(docs.remove), async (request, reply) => {
    const project = projectOf(request)
    const { document } = await rules.one(project.id, request.params.id)
    await rules.change(project.id, { segment: document.segment, version: document.version + 1, name: document.name, rule: null })
    return reply.code(204).send()
  })

  app.post('/api/segments/preview', route(docs.preview), async (request) => {
    const project = projectOf(request)
    const body = previewBody.parse(request.body)
    return preview(deps, project, accepted(body.rule, project), body.sample)
  })

  app.get<OfSegment>('/api/segments/:id/members', route(docs.members), async (request) => {
    const project = projectOf(request)
    const view = await rules.one(project.id, request.params.id)
    const page = await membersPage(deps.columns, project.id, view.document.segment, membersQuery.parse(request.query))
    return { ...page, definition: definitionOf(project, parsedRule(view, project), await rules.clock(), [page.sql]), sql: undefined }
  })

  app.get<OfSegment>('/api/segments/:id/flips', route(docs.flips), async (request) => {
    const project = projectOf(request)
    const view = await rules.one(project.id, request.params.id)
    const page = await flipsPage(deps.columns, project.id, view.document.segment, flipsQuery.parse(request.query))
    return { ...page, definition: definitionOf(project, parsedRule(view, project), await rules.clock(), [page.sql]), sql: undefined }
  })

  app.get<OfPerson>('/api/segments/:id/people/:personId', route(docs.explain), async (request) => {
    const project = projectOf(request)
    return explainPerson(deps, project, await rules.one(project.id, request.params.id), request.params.personId)
  })
}

/** @throws RULE_INVALID or LEAF_NOT_AVAILABLE, with the path of the fault */
const accepted = (raw: unknown, project: Project): Rule => {
  const parsed = parseRule(raw, project)
  if (parsed.ok) return parsed.rule
  throw new ProblemError(parsed.code, `${parsed.path}: ${parsed.detail}`, { faults: [{ at: parsed.path, detail: parsed.detail }] })
}

const preview = async ({ columns, clock }: SharedDeps, project: Project, rule: Rule, sample: number) => {
  const now = clock.now()
  const wanted = Math.max(1, sample)
  const sql = `SELECT countIf(member) AS size, count() AS people, groupArrayIf(${wanted})(toString(person), member) AS sample
FROM (${membersSql(dialect, project.id, rule, now)})`
  const [row] = await columns.query<{ size: number | string; people: number | string; sample: readonly string[] }>(sql)
  return {
    size: Number(row?.size ?? 0),
    people: Number(row?.people ?? 0),
    sample: (row?.sample ?? []).slice(0, sample).map((personId) => ({ personId })),
    asOf: iso(now),
    definition: definitionOf(project, rule, now, [sql]),
  }
}
