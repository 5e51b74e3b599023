import http from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'

export interface AgentOptions {
  readonly secure: boolean
  readonly sockets: number
  readonly connectMsMax: number
  /** A socket that rests longer is closed; below what the server keeps (ClickHouse: 10 s, before 23.11: 3 s). */
  readonly idleMs: number
}

/** Sockets that are bounded in number and in the time that connecting may take: an address that swallows packets would hold a statement for minutes. */
export const boundedAgent = ({ secure, sockets, connectMsMax, idleMs }: AgentOptions): http.Agent => {
  const agent = new (secure ? https : http).Agent({ keepAlive: true, maxSockets: sockets, maxFreeSockets: sockets, timeout: idleMs })
  const connect = (agent as unknown as { createConnection: (...all: unknown[]) => Socket }).createConnection
  Object.assign(agent, {
    createConnection: (...all: unknown[]): Socket => {
      const socket = connect.apply(agent, all)
      const late = setTimeout(() => socket.destroy(connectTimeout(connectMsMax)), connectMsMax)
      const settled = (): void => clearTimeout(late)
      return socket.once(secure ? 'secureConnect' : 'connect', settled).once('close', settled)
    },
  })
  return agent
}

const connectTimeout = (ms: number): Error => Object.assign(new Error(`not connected within ${ms} ms`), { code: 'CONNECT_TIMEOUT' })
