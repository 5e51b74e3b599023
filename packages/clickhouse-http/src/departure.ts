import type { FastifyReply } from 'fastify'
import type { ColumnStore } from '@millrace/ports'
import { quoted } from '@millrace/warehouse'

/** Calls `act` when the client goes away before its answer is whole. @returns how to stop watching */
export const onDeparture = (reply: FastifyReply, act: () => void): (() => void) => {
  const listener = (): void => {
    if (!reply.raw.writableFinished) act()
  }
  reply.raw.once('close', listener)
  return () => reply.raw.off('close', listener)
}

/** The id is ours, never the client's: KILL looks for it in the texts of running statements. */
export const taggedSql = (queryId: string, sql: string): string => `/* millrace-query ${queryId} */ ${sql}`

interface KillDeps {
  readonly columns: Pick<ColumnStore, 'command'>
  readonly logger: { warn(fields: object, message: string): void }
}

/** Ends the statement of a client that left. */
export const killStatement = ({ columns, logger }: KillDeps, queryId: string): void => {
  const statement = `KILL QUERY WHERE query LIKE ${quoted(`%millrace-query ${queryId}%`)} AND query NOT LIKE 'KILL%' ASYNC`
  columns.command(statement).catch((error: unknown) => {
    logger.warn({ event: 'query.kill.failed', queryId, error }, 'a statement whose client went away runs on to its limit')
  })
}
