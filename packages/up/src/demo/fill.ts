import { batchesOf } from '../door/batches.ts'
import { sendBatches, type Door, type Outgoing } from '../door/batch-sender.ts'
import { DEMO_SEGMENTS } from './segments.ts'
import { DEMO, makeShop, type ShopTotals } from './shop.ts'

export interface FillOptions {
  readonly url: string
  readonly apiKey: string
  /** One for each source of the shop: its web pages and the till of its counter. */
  readonly writeKeys: { readonly web: string; readonly counter: string }
  readonly people: number
  /** Start of a UTC day in milliseconds: the last event lies before it. */
  readonly until: number
  readonly moved: (sent: number, total: number) => void
}

const IN_FLIGHT_MAX = 3
const ATTEMPTS_MAX = 60

/**
 * Makes the segments, then sends the shop through the door, as fast as the door takes it. May run again after a
 * crash in its middle: the messages are the same, so those that are in already are repeats. @throws DoorFault
 */
export const fillWithShop = async (options: FillOptions): Promise<ShopTotals> => {
  await makeSegments(options)
  const { messages, totals } = makeShop({ ...DEMO, people: options.people, until: options.until })
  let sent = 0
  const send = async (door: Door, channel: string): Promise<void> => {
    const own = messages.filter((message) => (message.body['channel'] === 'counter') === (channel === 'counter'))
    const outgoing = own.map(({ body }): Outgoing => ({ text: JSON.stringify(body) }))
    await sendBatches(door, batchesOf(outgoing, ({ text }) => Buffer.byteLength(text)), {
      inFlightMax: IN_FLIGHT_MAX,
      attemptsMax: ATTEMPTS_MAX,
      sent: (batch, refused) => {
        // A refusal here is a fault of the demo itself: it must not hide in the ledger.
        if (refused[0]) throw new Error(`The demo's own event was refused: ${refused[0].code} ${refused[0].detail}`)
        sent += batch.length
        options.moved(sent, messages.length)
      },
    })
  }
  await Promise.all([
    send({ url: options.url, writeKey: options.writeKeys.web }, 'web'),
    send({ url: options.url, writeKey: options.writeKeys.counter }, 'counter'),
  ])
  return totals
}

const makeSegments = async ({ url, apiKey }: FillOptions): Promise<void> => {
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
  const listed = await fetch(`${url}/api/segments`, { headers })
  const { segments = [] } = listed.ok ? ((await listed.json()) as { segments?: readonly { name: string }[] }) : {}
  for (const segment of DEMO_SEGMENTS) {
    if (segments.some(({ name }) => name === segment.name)) continue
    const answer = await fetch(`${url}/api/segments`, { method: 'POST', headers, body: JSON.stringify(segment) })
    if (!answer.ok) throw new Error(`The demo's segment ${segment.name} was refused: ${answer.status} ${await answer.text()}`)
  }
}

/** What the demo has put in, told so that it can be compared with what the answers say. */
export const totalsText = (totals: ShopTotals): string => {
  const count = (value: number): string => value.toLocaleString('en')
  return (
    `The demo shop is in: ${count(totals.people)} people, ${count(totals.events)} events (${count(totals.late)} of them late, and ${count(totals.repeats)} sent twice), ` +
    `${count(totals.orders)} orders of ${(totals.revenueFen / 100).toLocaleString('en', { minimumFractionDigits: 2 })} CNY, ${count(totals.refunds)} refunds, in the 90 days before today. The same numbers each time.`
  )
}
