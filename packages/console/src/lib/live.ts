import { useEffect, useReducer, useState } from 'react'

export interface LiveEvent {
  readonly id: string
  readonly at: number
  readonly type: string
  readonly event: string
  readonly channel: string
  /** Id of the person; null for an event without an identity. */
  readonly person: string | null
  /** A user id or a device, as the sender named it. */
  readonly name: string | null
}
export interface RefusedEvent {
  readonly id: string
  readonly at: number
  readonly code: string
  readonly detail: string
  readonly beginning: string
}
export interface LiveState {
  /** Time of the server at its last message. */
  readonly at: number
  /** Events of each of the last 60 seconds, oldest first. */
  readonly perSecond: readonly number[]
  readonly people: number | null
  readonly newest: number | null
  readonly pending: number | null
  /** Newest first. */
  readonly events: readonly LiveEvent[]
  readonly refused: readonly RefusedEvent[]
}

export type Connection = 'connecting' | 'live' | 'lost'

const EMPTY: LiveState = { at: 0, perSecond: Array.from({ length: 60 }, () => 0), people: null, newest: null, pending: null, events: [], refused: [] }

/** What the server pushes. The browser connects again by itself when the connection is lost. */
export const useLive = (): { readonly state: LiveState; readonly connection: Connection } => {
  const [state, dispatch] = useReducer(applyLive, EMPTY)
  const [connection, setConnection] = useState<Connection>('connecting')
  useEffect(() => {
    const source = new EventSource('/api/live')
    source.onopen = () => setConnection('live')
    source.onerror = () => setConnection('lost')
    source.onmessage = (message) => dispatch(JSON.parse(String(message.data)))
    return () => source.close()
  }, [])
  return { state, connection }
}

export const applyLive = (state: LiveState, message: Partial<LiveState>): LiveState => ({ ...state, ...message })
