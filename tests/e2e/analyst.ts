import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Millrace } from '../support/millrace.ts'
import type { Python } from '../support/python.ts'

/** An analyst's Python that stays connected: one question a line, one answer a line. */
export interface Analyst {
  ask<Answer>(question: object): Promise<Answer>
  stop(): Promise<void>
}

export const openAnalyst = async ({ command, env }: Python, { clickhouseUrl, apiKey }: Millrace): Promise<Analyst> => {
  const { hostname, port } = new URL(clickhouseUrl)
  const child = spawn(command, [join(import.meta.dirname, 'live.py'), hostname, port, apiKey], { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async <Answer>(): Promise<Answer> => {
    const { value, done } = await lines.next()
    if (done) throw new Error('the Python program ended; its words are above')
    return JSON.parse(value) as Answer
  }
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  await next()
  return {
    ask: (question) => {
      child.stdin.write(`${JSON.stringify(question)}\n`)
      return next()
    },
    stop: () => {
      child.stdin.end()
      return ended
    },
  }
}
