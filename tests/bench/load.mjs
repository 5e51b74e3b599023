// Sends events over keep-alive connections and prints one line of JSON: a process of its own, so that its CPU is not the server's.
import { Agent, request } from 'node:http'
import { eventText } from './events.mjs'

/**
 * Events `first` and on of a run of `of`, which is spread over `daysBack` days up to now. `events` are sent as fast as the server answers, or `perSecond` of them for `seconds`.
 * @type {{ url: string, writeKey: string, run: string, people: number, batch: number, connections: number, events?: number, perSecond?: number, seconds?: number, daysBack?: number, first?: number, of?: number }}
 */
const options = JSON.parse(process.argv[2])
const { url, writeKey, run, people, batch, connections, first = 0 } = options
const agent = new Agent({ keepAlive: true, maxSockets: connections })
const total = options.events ?? options.perSecond * options.seconds
const spanMs = (options.daysBack ?? 0) * 86_400_000
const times = { run, people, fromMs: Date.now() - spanMs, stepMs: spanMs / (options.of ?? total) }
const target = new URL(batch === 1 ? '/v1/track' : '/v1/batch', url)
const authorization = `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}`

const bodyOf = (from, to) => {
  if (batch === 1) return eventText(times, from)
  const lines = []
  for (let n = from; n < to; n++) lines.push(eventText(times, n))
  return `{"batch":[${lines.join(',')}],"sentAt":"${new Date().toISOString()}"}`
}

const post = (body) =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), authorization }
    const sent = request(target, { method: 'POST', agent, headers }, (answer) => {
      answer.resume()
      answer.on('end', () => resolve(answer.statusCode))
      answer.on('error', reject)
    })
    sent.on('error', reject)
    sent.end(body)
  })

const answerMs = []
const counts = { accepted: 0, refused: 0 }
const end = first + total
const startedAt = performance.now()
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** Where each request begins; all connections take from it. */
const starts = (function* () {
  for (let from = first; from < end; from += batch) yield from
})()

const send = async (from) => {
  const to = Math.min(end, from + batch)
  const body = bodyOf(from, to)
  for (;;) {
    const at = performance.now()
    const status = await post(body)
    answerMs.push(performance.now() - at)
    if (status >= 200 && status < 300) {
      counts.accepted += to - from
      return
    }
    counts.refused++
    // Back-pressure: the same again a little later, as an SDK does.
    if (status !== 429 && status !== 503) throw new Error(`refused with ${status}`)
    await pause(250)
  }
}

const asFastAsAnswered = () =>
  Promise.all(Array.from({ length: connections }, async () => {
    for (const from of starts) await send(from)
  }))

/** Sent when due, whether the one before was answered or not: a slow server does not make the load smaller. */
const atRate = async () => {
  const open = []
  for (const from of starts) {
    const wait = startedAt + ((from - first) * 1000) / options.perSecond - performance.now()
    if (wait > 0) await pause(wait)
    open.push(send(from))
  }
  await Promise.all(open)
}

await (options.perSecond ? atRate() : asFastAsAnswered())
const seconds = (performance.now() - startedAt) / 1000
answerMs.sort((a, b) => a - b)
const percentile = (share) => answerMs[Math.min(answerMs.length - 1, Math.floor(answerMs.length * share))]
console.log(JSON.stringify({ ...counts, seconds, p50Ms: percentile(0.5), p99Ms: percentile(0.99) }))
agent.destroy()
