import type { AcceptedControl, CanonicalEvent, DecodedRecord, Key, Origin, Project, Refusal } from '@millrace/contracts'
import { decodeEvent, decodeRecord, filedKeyOf, refuse } from '@millrace/contracts'
import type { LogRecord } from '@millrace/ports'

export type Incoming =
  | {
      readonly kind: 'event'
      readonly project: Project
      readonly origin: Origin
      readonly offset: number
      readonly index: number
      readonly event: CanonicalEvent
      readonly key: Key
      /** The sender's own JSON. */
      readonly text: string
    }
  | { readonly kind: 'control'; readonly project: Project; readonly offset: number; readonly at: number; readonly line: AcceptedControl }
  | {
      readonly kind: 'refused'
      readonly projectId: number
      readonly origin: Origin | null
      readonly bytes: Buffer
      readonly refusal: Pick<Refusal, 'code' | 'detail'>
    }

export type ProjectById = (id: number) => Project | undefined

/** Every line of a record of events.accepted, in order. What cannot be read is a value, so that no batch is stuck on it. */
export const readRecord = (record: LogRecord, projectById: ProjectById): readonly Incoming[] => {
  let decoded: DecodedRecord
  let lines: readonly Buffer[]
  try {
    decoded = decodeRecord(record.value)
    lines = decoded.lines()
  } catch (error) {
    const refusal = refuse('RECORD_UNREADABLE', error instanceof Error ? error.message : String(error))
    return [{ kind: 'refused', projectId: 0, origin: null, bytes: Buffer.from(record.value), refusal }]
  }
  const { header } = decoded
  const project = projectById(header.project)
  const origin = header.origins[0] ?? null
  return lines.map((bytes, index): Incoming => {
    const refused = (refusal: Pick<Refusal, 'code' | 'detail'>): Incoming => ({
      kind: 'refused',
      projectId: header.project,
      origin,
      bytes,
      refusal,
    })
    if (!project) return refused(refuse('PROJECT_NOT_FOUND'))
    const text = bytes.toString()
    let raw: unknown
    try {
      raw = JSON.parse(text)
    } catch {
      return refused(refuse('NOT_JSON'))
    }
    if (header.kind === 'control') {
      const line = raw as AcceptedControl
      return { kind: 'control', project, offset: record.offset, at: origin?.receivedAt ?? 0, line }
    }
    if (header.kind !== 'events' || !origin) return refused(refuse('RECORD_UNREADABLE', `a record of kind ${header.kind}`))
    const event = decodeEvent(origin, project, raw)
    if ('ok' in event) return refused(event)
    return { kind: 'event', project, origin, offset: record.offset, index, event, key: filedKeyOf(project, event), text }
  })
}
