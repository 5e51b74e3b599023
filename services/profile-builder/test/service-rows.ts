import { decodeEvent, decodeRecord, isRefusal, type Project, type ResolvedLine, topics } from '@millrace/contracts'
import type { EventLog } from '@millrace/ports'
import { eventRow, rowBytes } from '@millrace/warehouse'

/** The rows that the sink of metrics would insert for one person. */
export const eventRowBytes = async (log: EventLog, project: Project, person: string): Promise<Buffer> => {
  const rows: string[] = []
  for (const { partition } of await log.extents(topics.resolved.name)) {
    for (const { value } of await log.read(topics.resolved.name, partition, 0, { recordsMax: 10_000, bytesMax: 1 << 30 })) {
      const { header, lines } = decodeRecord(value)
      for (const bytes of lines()) {
        const line = JSON.parse(bytes.toString('utf8')) as ResolvedLine
        if (line.type !== 'event' || line.person !== person) continue
        const event = decodeEvent(header.origins[line.origin]!, project, line.event)
        if (!isRefusal(event)) rows.push(eventRow(event, line, (ms) => new Date(ms).toISOString().slice(0, 10)))
      }
    }
  }
  return rowBytes(rows)
}
