// Where there is no wrk: the same load by autocannon. node cannon.mjs '{"url","connections","seconds","batch"?,"run"?,"authorization"?,"requests"?}'
import { readFileSync } from 'node:fs'
import autocannon from 'autocannon'
import { eventText } from './events.mjs'

const { url, connections, seconds, batch, run, authorization, requests } = JSON.parse(process.argv[2])
const times = { run, people: 10_000, fromMs: Date.now() - 86_400_000, stepMs: 1 }
let count = 0

const bodyOf = () => {
  if (batch === 1) return eventText(times, count++)
  const events = Array.from({ length: batch }, () => eventText(times, count++))
  return `{"batch":[${events.join(',')}],"sentAt":"${new Date().toISOString()}"}`
}

const generated = () => [{
  method: 'POST', path: batch === 1 ? '/v1/track' : '/v1/batch', headers: { authorization, 'content-type': 'application/json' },
  setupRequest: (request) => ({ ...request, body: bodyOf() }),
}]

/** The file that requests.lua reads. */
const written = () => {
  const file = readFileSync(requests)
  const found = []
  for (let at = 0; at < file.length; ) {
    const parts = []
    for (let part = 0; part < 4; part++) {
      const feed = file.indexOf(0x0a, at)
      const end = feed + 1 + Number(file.toString('latin1', at, feed))
      parts.push(file.subarray(feed + 1, end))
      at = end
    }
    const [method, path, headers, body] = parts
    found.push({ method: method.toString(), path: path.toString(), headers: Object.fromEntries(headers.toString().split('\n').filter(Boolean).map((line) => line.split(': '))), body })
  }
  return found
}

const result = await autocannon({ url, connections, duration: seconds, requests: requests ? written() : generated() })
console.log(`RESULT ${result['2xx'] + result.non2xx} ${result.non2xx} ${result.errors}`)
