/** Which column of a CSV file fills which field of the event. */
export type Mapping = readonly { readonly field: string; readonly column: string }[]

const PLAIN = ['type', 'event', 'name', 'userId', 'anonymousId', 'previousId', 'groupId', 'messageId', 'timestamp', 'channel'] as const
const NESTED = /^(properties|traits|context)\.[^.]+(\.[^.]+)*$/
/** A column under this field is left out. */
const NOWHERE = '-'

/** Reads `event=event_name,userId=uid,properties.price=price`. @throws Error naming each fault */
export const parseMapping = (texts: readonly string[]): Mapping => {
  const pairs = texts.flatMap((text) => text.split(',')).filter((pair) => pair.trim() !== '')
  return pairs.map((pair) => {
    const [field = '', ...rest] = pair.split('=').map((part) => part.trim())
    const column = rest.join('=')
    if (column === '') throw new Error(`--map ${pair}: say FIELD=COLUMN.`)
    if (field !== NOWHERE && !isPlain(field) && !NESTED.test(field)) {
      throw new Error(`--map ${pair}: there is no field ${field}; there are ${PLAIN.join(', ')}, properties.…, traits.…, context.… and - for nowhere.`)
    }
    return { field, column }
  })
}

/**
 * One field for each column: as the mapping says, else by the column's usual name, else a property.
 * @throws Error when the mapping names a column that the file does not have
 */
export const fieldsOfColumns = (columns: readonly string[], mapping: Mapping): readonly string[] => {
  const unknown = mapping.filter(({ column }) => !columns.includes(column))
  if (unknown.length > 0) throw new Error(`The file has no column ${unknown.map(({ column }) => column).join(', ')}; it has ${columns.join(', ')}.`)
  const taken = new Set(mapping.map(({ field }) => field))
  return columns.map((column) => {
    const told = mapping.find((entry) => entry.column === column)
    if (told) return told.field
    const usual = USUAL[column.toLowerCase().replaceAll(/[\s_-]/g, '')]
    if (usual === undefined || taken.has(usual)) return `properties.${column}`
    taken.add(usual)
    return usual
  })
}

/**
 * The event that a row tells; empty cells are left out, and a row without a type is a track.
 * Numbers are numbers where their text is exactly what the number prints (`007` and `+1` stay text).
 */
export const eventOfRow = (fields: readonly string[], row: readonly string[]): Record<string, unknown> => {
  const event: Record<string, unknown> = { type: 'track' }
  fields.forEach((field, index) => {
    const cell = row[index] ?? ''
    if (cell === '' || field === NOWHERE) return
    if (isPlain(field)) event[field] = cell
    else put(event, field.split('.'), valueOf(cell))
  })
  return event
}

const put = (target: Record<string, unknown>, path: readonly string[], value: unknown): void => {
  // The path of a property is `properties.<column>`, whatever dots its column has.
  const [group = '', ...rest] = path
  const object = (target[group] ??= Object.create(null)) as Record<string, unknown>
  object[rest.join('.')] = value
}

const valueOf = (cell: string): unknown => {
  if (cell === 'true' || cell === 'false') return cell === 'true'
  const number = Number(cell)
  return Number.isFinite(number) && Math.abs(number) <= Number.MAX_SAFE_INTEGER && String(number) === cell ? number : cell
}

const isPlain = (field: string): boolean => (PLAIN as readonly string[]).includes(field)

const USUAL: Readonly<Record<string, string>> = {
  type: 'type',
  event: 'event',
  eventname: 'event',
  userid: 'userId',
  anonymousid: 'anonymousId',
  messageid: 'messageId',
  timestamp: 'timestamp',
  time: 'timestamp',
  eventtime: 'timestamp',
  occurredat: 'timestamp',
  channel: 'channel',
  sessionid: 'context.sessionId',
}
