import { connect, isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { ISocketFactory, SASLOptions } from 'kafkajs'

/** How brokers are reached, and as whom; by default in the clear and as nobody. */
export interface KafkaAccess {
  readonly tls?: KafkaTls | undefined
  readonly sasl?: KafkaSasl | undefined
}
interface KafkaTls {
  /** Certificates that the brokers' own must lead to, PEM; those that Node knows unless given. */
  readonly ca?: string | undefined
}
interface KafkaSasl {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  readonly username: string
  readonly password: string
}

/** What kafkajs is told of it. */
export const accessOptions = ({ tls, sasl }: KafkaAccess): { ssl: object | false; sasl?: SASLOptions } => ({
  ssl: tls ? { ca: tls.ca } : false,
  ...(sasl ? { sasl: { ...sasl } } : {}),
})

/** While a broker restarts each request waits for its socket by a listener of its own: no leak to warn of. */
const LISTENERS_MAX = 1_000
const KEEP_ALIVE_MS = 60_000

export const socketFactory: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  // A name that is an address cannot be asked for: the certificate is held against the address.
  const socket = ssl ? connectTls({ host, port, ...(isIP(host) ? {} : { servername: host }), ...ssl }, onConnect) : connect({ host, port }, onConnect)
  return socket.setKeepAlive(true, KEEP_ALIVE_MS).setMaxListeners(LISTENERS_MAX)
}
