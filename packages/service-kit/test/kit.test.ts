import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ConfigError, createHttp, createLogger, createMetricsRegistry, Counter, healthRoutes, metricsRoutes, readConfig, startParts } from '../src/index.ts'
import { createCountingIds, createFixedClock } from './fixed.ts'

const logger = createLogger('silent')

describe('readConfig', () => {
  it('tells every fault at once', () => {
    const schema = z.object({ PORT: z.coerce.number().int().min(1).default(8080), HOST: z.string(), ROWS_MAX: z.coerce.number() })
    expect(readConfig(schema, { HOST: 'x', ROWS_MAX: '5', PORT: '' })).toEqual({ PORT: 8080, HOST: 'x', ROWS_MAX: 5 })
    const read = () => readConfig(schema, { PORT: '0', ROWS_MAX: 'many' })
    expect(read).toThrow(ConfigError)
    expect(read).toThrow(/PORT[\s\S]*HOST[\s\S]*ROWS_MAX/)
  })
})

describe('startParts', () => {
  const part = (name: string, seen: string[], fault?: string) => ({
    name,
    start: async () => { if (fault) throw new Error(fault); seen.push(`+${name}`) },
    stop: async () => void seen.push(`-${name}`),
  })
  it('stops in the reverse order, once', async () => {
    const seen: string[] = []
    const running = await startParts([part('a', seen), part('b', seen)], { logger, clock: createFixedClock() })
    expect(await Promise.all([running.stop(), running.stop()])).toEqual([true, true])
    expect(seen).toEqual(['+a', '+b', '-b', '-a'])
  })
  it('stops what had started when a later part fails', async () => {
    const seen: string[] = []
    await expect(startParts([part('a', seen), part('b', seen, 'no port')], { logger, clock: createFixedClock() })).rejects.toThrow('no port')
    expect(seen).toEqual(['+a', '-a'])
  })
  it('does not wait for ever for a part that hangs', async () => {
    const clock = createFixedClock()
    const hangs = { name: 'hangs', start: async () => {}, stop: () => new Promise<void>(() => {}) }
    const stopped = (await startParts([hangs], { logger, clock, stopMsMax: 100 })).stop()
    clock.forward(100)
    expect(await stopped).toBe(false)
  })
})

describe('health and metrics', () => {
  it('is ready only when each part is', async () => {
    let fault: string | null = null
    const clock = createFixedClock()
    const http = createHttp({ logger, ids: createCountingIds() })
    const registry = createMetricsRegistry()
    new Counter({ name: 'millrace_test_total', help: 'x', registers: [registry] }).inc()
    await http.register(metricsRoutes(registry))
    await http.register(healthRoutes([{ name: 'log', check: async () => { if (fault) throw new Error(fault) } }], clock))
    expect((await http.inject('/readyz')).statusCode).toBe(200)
    fault = 'disk full'
    const answer = await http.inject('/readyz')
    expect([answer.statusCode, answer.json().parts]).toEqual([503, { log: 'disk full' }])
    expect((await http.inject('/healthz')).statusCode).toBe(200)
    expect((await http.inject('/metrics')).body).toContain('millrace_test_total 1')
  })
})
