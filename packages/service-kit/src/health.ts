import type { Clock } from '@millrace/ports'
import type { FastifyPluginAsync } from 'fastify'

export interface ReadyCheck {
  readonly name: string
  /** Resolves when the part works now, rejects with the reason. */
  check(): Promise<void>
}

const CHECK_MS_MAX = 2_000

/** GET /healthz (the process answers) and GET /readyz (an event would be taken; else 503 with what is missing). */
export const healthRoutes = (checks: readonly ReadyCheck[], clock: Clock): FastifyPluginAsync => async (app) => {
  app.get('/healthz', async () => ({ status: 'ok' }))
  app.get('/readyz', async (_request, reply) => {
    const results = await Promise.all(checks.map(async ({ name, check }) => ({ name, fault: await within(clock, check) })))
    const ready = results.every(({ fault }) => fault === null)
    const parts = Object.fromEntries(results.map(({ name, fault }) => [name, fault ?? 'ok']))
    return reply.code(ready ? 200 : 503).header('cache-control', 'no-store').send({ status: ready ? 'ready' : 'not ready', parts })
  })
}

const within = async (clock: Clock, check: () => Promise<void>): Promise<string | null> => {
  let cancel = (): void => {}
  const late = new Promise<string>((resolve) => {
    cancel = clock.after(CHECK_MS_MAX, () => resolve(`no answer in ${CHECK_MS_MAX} ms`))
  })
  try {
    return await Promise.race([late, check().then(() => null)])
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    cancel()
  }
}
