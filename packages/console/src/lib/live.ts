import type { LiveOverview } from '@millrace/contracts'
import { useEffect, useState } from 'react'

const REFUSED_AGAIN_MS = 3_000

type Connection = 'connecting' | 'live' | 'lost'

export interface Live {
  readonly overview: LiveOverview | null
  /** The server's clock now: its last message, and what has passed since. */
  readonly now: number
  readonly connection: Connection
}

/** Listens as long as the page is open; the browser connects again by itself when the connection is lost. */
export const useLive = (): Live => {
  const [received, setReceived] = useState<{ readonly overview: LiveOverview; readonly at: number } | null>(null)
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
      source.addEventListener('overview', (message) => setReceived({ overview: JSON.parse(String(message.data)) as LiveOverview, at: performance.now() }))
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
export const lastMinute = (overview: LiveOverview, now: number): readonly number[] => {
  const last = Math.floor(now / 1000)
  const counts = new Map(overview.seconds)
  return Array.from({ length: 60 }, (_, index) => counts.get(last - 59 + index) ?? 0)
}
