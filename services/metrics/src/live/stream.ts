import { type LiveOverview, ProblemError } from '@millrace/contracts'
import type { Clock } from '@millrace/ports'
import type { FastifyReply } from 'fastify'

export interface LiveStreamOptions {
  readonly clientsMax: number
  /** At most one message in this time for each client. */
  readonly everyMs: number
}

interface Client {
  readonly project: number
  readonly reply: FastifyReply
  /** False until its head is written: a message before it would be an answer of another kind. */
  listens: boolean
}

/** The overview of a project, and whether what it tells is behind what was stored. */
export interface OverviewSource {
  of(project: number): Promise<LiveOverview>
  isBehind(project: number): boolean
}

/** A client that does not read is let go when this much waits for it. */
const WAITING_BYTES_MAX = 1 << 20
const KEEP_ALIVE_MS = 20_000

export interface LiveStream {
  open(project: number, reply: FastifyReply): Promise<void>
  changed(projects: ReadonlySet<number>): void
  stop(): void
}

/** Server-sent events: the whole overview when something changed. Nothing is computed without a client or a change. */
export const createLiveStream = (
  overview: OverviewSource,
  clock: Clock,
  { clientsMax, everyMs }: LiveStreamOptions,
): LiveStream => {
  const clients = new Set<Client>()
  const changed = new Set<number>()
  let cancelSend: (() => void) | undefined
  let cancelKeepAlive: (() => void) | undefined

  const write = (client: Client, text: string): void => {
    if (!client.listens) return
    if (client.reply.raw.writableLength > WAITING_BYTES_MAX) client.reply.raw.destroy()
    else client.reply.raw.write(text)
  }
  const send = async (): Promise<void> => {
    const projects = new Set(changed)
    changed.clear()
    for (const project of projects) {
      const text = await overview.of(project).then(message, () => FAILED)
      for (const client of clients) if (client.project === project) write(client, text)
      // Totals are not counted at each message; the last of a burst must not stand there for ever.
      if (overview.isBehind(project) && isWatched(project)) changed.add(project)
    }
    cancelSend = undefined
    if (changed.size > 0) later()
  }
  const isWatched = (project: number): boolean => [...clients].some((client) => client.project === project)
  const later = (): void => {
    cancelSend ??= clock.after(everyMs, () => void send())
  }
  const keepAlive = (): void => {
    cancelKeepAlive = clock.after(KEEP_ALIVE_MS, () => {
      for (const client of clients) write(client, ': still here\n\n')
      if (clients.size > 0) keepAlive()
      else cancelKeepAlive = undefined
    })
  }
  return {
    open: async (project, reply) => {
      if (clients.size >= clientsMax) throw new ProblemError('TOO_MANY_REQUESTS', `more than ${clientsMax} pages watch`, { retryAfterSeconds: 30 })
      const client: Client = { project, reply, listens: false }
      clients.add(client)
      reply.raw.once('close', () => clients.delete(client))
      // Who sends no more has left: of other requests the answer would still be awaited.
      reply.raw.socket?.once('end', () => reply.raw.destroy())
      const first = await overview.of(project).catch((error: unknown) => {
        clients.delete(client)
        throw error
      })
      reply.hijack()
      reply.raw.writeHead(200, HEAD)
      client.listens = true
      write(client, message(first))
      if (!cancelKeepAlive) keepAlive()
      // Else it would stay as it is until this copy stores something itself.
      if (overview.isBehind(project)) {
        changed.add(project)
        later()
      }
    },
    changed: (projects) => {
      for (const { project } of clients) if (projects.has(project)) changed.add(project)
      if (changed.size > 0) later()
    },
    stop: () => {
      cancelSend?.()
      cancelKeepAlive?.()
      for (const { reply } of clients) reply.raw.end()
      clients.clear()
    },
  }
}

const message = (told: LiveOverview): string => `event: overview\ndata: ${JSON.stringify(told)}\n\n`
const FAILED = 'event: fault\ndata: {"code":"STORE_UNAVAILABLE"}\n\n'
/** `connection: close`: the end of the stream is the end of the connection, or it would keep the server from closing. */
const HEAD = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
  connection: 'close',
}
