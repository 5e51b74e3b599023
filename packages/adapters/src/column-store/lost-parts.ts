import { appendFileSync, existsSync, readdirSync, readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { covers, partNamed, type PartName } from './part-name.ts'

/** What is asked of the engine here, before anybody else may. */
export interface OpenEngine {
  /** The answer of a statement as text of the format. */
  query(sql: string, format: 'JSONEachRow'): string
}

interface Table {
  readonly name: string
  readonly path: string
}

/** A line of a table's memory of tokens: `added` with the part it stands for, or forgotten again. */
interface TokenNote {
  readonly part: string
  readonly token: string
  readonly added: boolean
}

/**
 * Lets the engine forget the tokens of parts that it does not have. It writes a token down before it gives the part its
 * name, so a kill between the two leaves a token for rows that were never stored, and the repeated insert would be taken
 * for a duplicate: its rows would be lost for good. Also covers parts that were moved away because they were broken, and
 * a last line that was cut off, behind which the engine reads nothing.
 * Tables that have such tokens are closed and opened again for it.
 */
export const forgetLostParts = (engine: OpenEngine): void =>
  tablesWithTokens(engine).forEach(({ name, path }) => {
    const log = readTokenLog(join(path, 'deduplication_logs'))
    const lost = lostTokens(log.notes, readdirSync(path))
    if (lost.length === 0 && log.torn === 0) return
    engine.query(`DETACH TABLE ${name} SYNC`, 'JSONEachRow')
    if (log.torn > 0) truncateSync(log.file, log.bytes - log.torn)
    appendFileSync(log.file, lost.map(({ part, token }) => `${FORGOTTEN}\t${part}\t${token}\n`).join(''))
    engine.query(`ATTACH TABLE ${name}`, 'JSONEachRow')
  })

const tablesWithTokens = (engine: OpenEngine): readonly Table[] =>
  engine
    .query("SELECT concat('`', database, '`.`', name, '`') AS name, data_paths[1] AS path FROM system.tables WHERE engine LIKE '%MergeTree' AND database != 'system' ORDER BY name", 'JSONEachRow')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Table)
    .filter(({ path }) => existsSync(join(path, 'deduplication_logs')))

const FORGOTTEN = '2'

/** All notes in order; the newest file, and how many bytes at its end are no whole line. */
const readTokenLog = (folder: string): { readonly notes: readonly TokenNote[]; readonly file: string; readonly bytes: number; readonly torn: number } => {
  const numberOf = (name: string): number => Number(/_(\d+)\.txt$/.exec(name)?.[1])
  const files = readdirSync(folder).sort((a, b) => numberOf(a) - numberOf(b)).map((name) => join(folder, name))
  const contents = files.map((file) => readFileSync(file))
  const newest = contents.at(-1) ?? Buffer.alloc(0)
  return {
    notes: contents.flatMap((content) => notesIn(content.toString())),
    file: files.at(-1) ?? '',
    bytes: newest.length,
    torn: newest.length - (newest.lastIndexOf(10) + 1),
  }
}

const notesIn = (text: string): readonly TokenNote[] =>
  text.split('\n').slice(0, -1).map((line) => {
    const [operation, part = '', token = ''] = line.split('\t')
    return { part, token, added: operation !== FORGOTTEN }
  })

/** Tokens that are remembered for a part which is neither in the folder itself nor within a merged one. */
export const lostTokens = (notes: readonly TokenNote[], folder: readonly string[]): readonly TokenNote[] => {
  const remembered = new Map<string, TokenNote>()
  for (const note of notes) {
    if (note.added) remembered.set(note.token, note)
    else remembered.delete(note.token)
  }
  const stored = new Map<string, PartName[]>()
  for (const part of folder.map(partNamed)) {
    if (!part) continue
    const others = stored.get(part.partition)
    if (others) others.push(part)
    else stored.set(part.partition, [part])
  }
  return [...remembered.values()].filter(({ part }) => {
    const sought = partNamed(part)
    return sought !== null && !stored.get(sought.partition)?.some((one) => covers(one, sought))
  })
}
