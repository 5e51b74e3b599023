import { eventually, type Millrace } from '../support/millrace.ts'
import { load } from './load.ts'
import { backlogOf, untilDrained, waitingText } from './product.ts'

type Add = (name: string, value: number | string, unit: string, how: string) => void

const POLL_MS = 50
const WAIT_MS_MAX = 600_000

/**
 * Each service hangs (SIGSTOP) while events come in, and is killed when all of them wait: from the kill, with the launcher's
 * pause and the start of the process, until the last of them is queryable, in SQL and as a flip.
 */
export const benchRecovery = async (add: Add, millrace: Millrace, backlog: number): Promise<void> => {
  const { id } = await millrace.api<{ id: string }>('/api/segments', { name: 'last', rule: { did: { event: LAST, measure: 'count', op: 'gte', value: 1 } } })
  await eventually(() => millrace.api<{ state: string }>(`/api/segments/${id}`), ({ state }) => state === 'live')
  const { url, writeKey } = millrace
  for (const service of ['profile-builder', 'segmentation', 'metrics']) {
    await untilDrained(millrace)
    const pid = millrace.processes()[`${service}-0`]!
    process.kill(pid, 'SIGSTOP')
    await load({ url, writeKey, run: `behind-${service}`, people: 20_000, batch: 100, connections: 16, events: backlog })
    await millrace.send([{ type: 'track', event: LAST, userId: `last-${service}`, messageId: `last-${service}` }])
    const waiting = await untilOthersRest(millrace)
    const startedAt = performance.now()
    process.kill(pid, 'SIGKILL')
    const [inSql, inFlips] = await Promise.all([
      timeUntil(startedAt, async () => (await millrace.sql(`SELECT 1 FROM millrace.events WHERE event = '${LAST}' AND user_id = 'last-${service}'`)).length > 0),
      timeUntil(startedAt, async () => (await millrace.sql(`SELECT 1 FROM millrace.flips WHERE segment_id = '${id}' AND person_id IN (SELECT person_id FROM millrace.identities WHERE value = 'last-${service}')`)).length > 0),
    ])
    const how = `${backlog.toLocaleString('en-US')} events came while it hung; from its kill -9 on; the others had left: ${waiting}`
    add(`${service} killed: the last event in SQL`, inSql, 's', how)
    add(`${service} killed: its flip in SQL`, inFlips, 's', 'the same')
  }
}

const LAST = 'Last Of Backlog'

/** Those that still run have nothing to do any more; metrics itself may be the one that hangs. */
const untilOthersRest = async (millrace: Millrace): Promise<string> => {
  const told = async () => JSON.stringify(await backlogOf(millrace))
  let before = ''
  await eventually(async () => {
    const now = await told()
    const same = now === before
    before = now
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    return same
  }, Boolean, WAIT_MS_MAX)
  return waitingText(await backlogOf(millrace))
}

const timeUntil = async (startedAt: number, isSo: () => Promise<boolean>): Promise<number> => {
  for (;;) {
    // The door of the one that is down answers nothing.
    if (await isSo().catch(() => false)) return (performance.now() - startedAt) / 1000
    if (performance.now() - startedAt > WAIT_MS_MAX) throw new Error(`not back within ${WAIT_MS_MAX} ms`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

/** Each event joins a device to a user: facts all go through the one partition of the project's identity. */
export const benchLinks = async (add: Add, millrace: Millrace, links: number): Promise<void> => {
  await untilDrained(millrace)
  const startedAt = performance.now()
  for (let from = 0; from < links; from += BATCH * AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, (_, batch) => sendLinks(millrace, from + batch * BATCH, Math.min(links, from + (batch + 1) * BATCH))))
  }
  const sentAt = performance.now()
  const endedAt = await untilDrained(millrace)
  add('identity: links through the one partition of a project', links / ((endedAt - startedAt) / 1000), 'links/s',
    `${links.toLocaleString('en-US')} identify events of new devices and users, sent in ${((sentAt - startedAt) / 1000).toFixed(1)} s, until everything is handled`)
}

const BATCH = 100
const AT_ONCE = 16

const sendLinks = async (millrace: Millrace, from: number, to: number): Promise<void> => {
  if (to <= from) return
  const batch = Array.from({ length: to - from }, (_, index) => ({ type: 'identify', messageId: `link-${from + index}`, userId: `link-u${from + index}`, anonymousId: `link-a${from + index}` }))
  const answer = await millrace.send(batch)
  if (!answer.ok) throw new Error(`links were answered with ${answer.status}`)
}
