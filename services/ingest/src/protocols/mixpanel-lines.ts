import { fieldsOf, hashedId, isFields, ProblemError, refuse, textOf } from '@millrace/contracts'
import { withAdded } from '../domain/added.ts'
import { parseJson } from '../domain/parse-json.ts'
import { sentData } from '../domain/sent-data.ts'
import type { SentEvent } from '../domain/sent-event.ts'
import type { Wire } from '../domain/wire.ts'

/** What a request of Mixpanel holds: one line, a list of them, or, of an import, a text with one in each line. @throws ProblemError NOT_JSON */
export const sentLines = (wire: Wire, receivedAt: number): readonly SentEvent[] => {
  const lines = isText(wire) ? linesOfText(wire) : sentData(wire)
  const key = keyOfLines(lines)
  const request = lines.length > 1 && lines.some(({ raw }) => isOperation(raw)) ? hashedId(wire.body.toString('latin1'), wire.query['_'] ?? receivedAt) : null
  return lines.map((line, index) => {
    // A line that names another project than the first is refused alone.
    if ((keyOfLine(line) ?? key) !== key) return { ...line, refusal: refuse('WRITE_KEY_MIXED') }
    // Operations have no time and no id: they are done in the order in which they were sent.
    return request === null || !isOperation(line.raw) ? line : withAdded(line, { messageId: `${request}-${String(index).padStart(5, '0')}` })
  })
}

/** The first project that a line names. @throws ProblemError NOT_JSON */
export const keyInLines = (wire: Wire): string | undefined => {
  if (isText(wire)) return keyOfLines(linesOfText(wire))
  const data = wire.data()
  return keyOfLines((Array.isArray(data) ? (data as readonly unknown[]) : [data]).map((raw) => ({ raw })))
}

const IMPORT = '/import'
const LOOK_BYTES = 1 << 20
const OBJECTS_IN_LINES = /^\s*\{[^\n]*\}\s*\n\s*\{/

const isText = ({ path, body }: Wire): boolean => path === IMPORT && OBJECTS_IN_LINES.test(body.toString('latin1', 0, LOOK_BYTES))

const linesOfText = ({ body }: Wire): readonly SentEvent[] =>
  body.toString('utf8').split('\n').map((text) => text.trim()).filter((text) => text !== '').map(lineOfText)

/** A text that is no JSON is refused alone. */
const lineOfText = (text: string): SentEvent => {
  const bytes = Buffer.from(text)
  const line = { bytes, start: 0, end: bytes.length, scanned: false }
  try {
    return { raw: parseJson(text), ...line }
  } catch (error) {
    if (error instanceof ProblemError) return { raw: null, ...line, refusal: refuse(error.code, error.message) }
    throw error
  }
}

type Line = Pick<SentEvent, 'raw'>

const keyOfLines = (lines: readonly Line[]): string | undefined => {
  for (const line of lines) {
    const key = keyOfLine(line)
    if (key !== undefined) return key
  }
  return undefined
}

const keyOfLine = ({ raw }: Line): string | undefined => {
  const { $token, properties } = fieldsOf(raw)
  return textOf(fieldsOf(properties)['token']) ?? textOf($token)
}

const isOperation = (raw: unknown): boolean => isFields(raw) && !Object.hasOwn(raw, 'event') && !textOf(raw['$insert_id'])
