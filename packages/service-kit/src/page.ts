import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { type AccessDeps, callerOf, requireApiKey } from './access.ts'
import type { RouteDocs } from './openapi/route-docs.ts'
import { sessionOf } from './sessions.ts'

/** The built console. */
const PAGE_FOLDER = fileURLToPath(new URL('../../console/dist/', import.meta.url))

const POLICY = [
  "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
  "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'",
].join('; ')

const SETUP: RouteDocs = { summary: 'What the page needs to show how to send events.', access: 'api-key', answer: { description: '`{writeKey}`' } }

/**
 * GET / and its files, for a browser that is signed in; GET /api/setup, what the page needs to show how to send events.
 * No style, script or picture comes from elsewhere, and nobody may frame the page.
 */
export const pageRoutes = (deps: AccessDeps, folder: string = PAGE_FOLDER): FastifyPluginAsync => async (app) => {
  app.get('/api/setup', { onRequest: requireApiKey(deps), config: { docs: SETUP } }, async (request) => {
    const { project } = callerOf(request)
    return { writeKey: (await deps.projects.shownWriteKey(project.id)) ?? null }
  })
  if (!existsSync(folder)) return
  await app.register(async (files) => {
    files.addHook('onRoute', (route) => void (route.config = { ...route.config, docs: 'page' }))
    files.addHook('onRequest', async (request, reply) => {
      protect(reply)
      if ((await sessionOf(deps, request.headers.cookie)) === undefined) return notSignedIn(request, reply)
      return undefined
    })
    await files.register(fastifyStatic, { root: folder, index: 'index.html', cacheControl: false, wildcard: false, setHeaders })
  })
}

const protect = (reply: FastifyReply): void => {
  reply.header('content-security-policy', POLICY).header('x-content-type-options', 'nosniff').header('referrer-policy', 'no-referrer')
    .header('x-frame-options', 'DENY').header('cross-origin-opener-policy', 'same-origin')
}

// Built files carry the hash of their content in their name; the page itself names them.
const setHeaders = (response: { setHeader(name: string, value: string): void }, path: string): void =>
  response.setHeader('cache-control', path.includes('/assets/') ? 'private, max-age=31536000, immutable' : 'no-cache')

const notSignedIn = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
  reply.code(401).header('cache-control', 'no-store')
  return request.url === '/' ? reply.type('text/html; charset=utf-8').send(SIGN_IN_FIRST) : reply.send()
}

const SIGN_IN_FIRST = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><title>Millrace</title>
<h1>Millrace</h1>
<p>You are not signed in. Open the link that the start of Millrace has printed; it works once. Start Millrace again for a new one.</p>
<p lang="zh">尚未登录。请打开 Millrace 启动时打印出的链接（只能使用一次）；重新启动 Millrace 可得到新的链接。</p></html>
`
