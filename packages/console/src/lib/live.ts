import { useEffect, useState } from 'react'

export interface LiveEvent {
  readonly messageId: string
  readonly type: string
  readonly event: string
  /** null for an event without an identity. */
  readonly personId: string | null
  readonly userId: string | null
  readonly anonymousId: string | null
  readonly channel: string
  readonly receivedAt: string
}
export interface RefusedEvent {
  readonly code: string
  readonly detail: string
  readonly source: string
  readonly messageId: string | null
  readonly receivedAt: string
}
/** What the server pushes whenever something was stored: the whole picture each time. */
export interface Overview {
  /** Time of the server. */
  readonly at: string
  /** Events of each second of the last minute that had any: [second of Unix time, events]. */
  readonly seconds: readonly (readonly [second: number, events: number])[]
  readonly people: number
  readonly stored: number
  readonly refusedTotal: number
  readonly newestReceivedAt: string | null
  /** Newest first. */
  readonly events: readonly LiveEvent[]
  readonly refused: readonly RefusedEvent[]
}

const REFUSED_AGAIN_MS = 3_000

type Connection = 'connecting' | 'live' | 'lost'

export interface Live {
  readonly overview: Overview | null
  /** The server's clock now: its last message, and what has passed since. */
  readonly now: number
  readonly connection: Connection
}

/** Listens as long as the page is open; the browser connects again by itself when the connection is lost. */
export const useLive = (): Live => {
  const [received, setReceived] = useState<{ readonly overview: Overview; readonly at: number } | null>(null)
  const [connection, setConnection] = useState<Connection>('connecting')
  useEffect(() => {
    let source: EventSource
    let timer: ReturnType<typeof setTimeout> | undefined
    const listen = (): void => {
      source = new EventSource('/api/live')
      source.addEventListener('open', () => setConnection('live'))
      source.addEventListener('error', () => {
        setConnection('lost')
        // A lost connection is made again by the browser; one that was refused is not.
        if (source.readyState === EventSource.CLOSED) timer = setTimeout(listen, REFUSED_AGAIN_MS)
      })
      source.addEventListener('overview', (message) => setReceived({ overview: JSON.parse(String(message.data)) as Overview, at: performance.now() }))
    }
    listen()
    return () => {
      clearTimeout(timer)
      source.close()
    }
  }, [])
  const tick = useTick()
  if (received === null) return { overview: null, now: 0, connection }
  return { overview: received.overview, now: Date.parse(received.overview.at) + Math.max(0, tick - received.at), connection }
}

/** Moves on each second, so that the last minute and ages move on while nothing comes. */
const useTick = (): number => {
  const [tick, setTick] = useState(() => performance.now())
  useEffect(() => {
    const timer = setInterval(() => setTick(performance.now()), 1000)
    return () => clearInterval(timer)
  }, [])
  return tick
}

/** Events of each of the last 60 seconds, oldest first. */
export const lastMinute = (overview: Overview, now: number): readonly number[] => {
  const last = Math.floor(now / 1000)
  const counts = new Map(overview.seconds)
  return Array.from({ length: 60 }, (_, index) => counts.get(last - 59 + index) ?? 0)
}
