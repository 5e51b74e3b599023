import {
  FIRST_SOURCE, isKeyLive, isRefusal, keyIdOf, KEYS_OF_SOURCE_MAX, type ProjectRecord, type Refusal, refuse, settingsOf, SOURCES_MAX, sourcesOf, type SourceSettings, type WriteKey,
} from '@millrace/contracts'
import { hashKey } from './key-index.ts'

/** What becomes of a project when its sources and write keys are changed: pure, a refusal where it may not be. */
export type Changed = ProjectRecord | Refusal

/** Adds a key to a source, whether it has settings or not. A key that is there already, also a dead one, stays as it is. */
export const withWriteKey = (record: ProjectRecord, source: string, key: string, now: number): Changed => {
  const hash = hashKey(key)
  if (record.writeKeys.some((known) => known.hash === hash)) return record
  const kept = roomForKey(record.writeKeys, source, now)
  if (kept === null) return refuse('KEY_BOUND', `a source has at most ${KEYS_OF_SOURCE_MAX} working keys`)
  const added: WriteKey = { id: keyIdOf(hash), hash, source, createdAt: now }
  return withKeyToShow({ ...record, writeKeys: [...kept, added] }, source, key, now)
}

/** A source with settings and a first key. */
export const withSource = (record: ProjectRecord, settings: SourceSettings, key: string, now: number): Changed => {
  const known = sourcesOf(record)
  if (known.some(({ name }) => name === settings.name)) return refuse('SOURCE_EXISTS')
  if (known.length >= SOURCES_MAX) return refuse('SOURCE_BOUND', `a project has at most ${SOURCES_MAX} sources`)
  return withWriteKey({ ...record, sources: [...record.sources, settings] }, settings.name, key, now)
}

export const withSettings = (record: ProjectRecord, name: string, change: Partial<Omit<SourceSettings, 'name'>>): Changed => {
  if (!hasSource(record, name)) return refuse('SOURCE_NOT_FOUND')
  const others = record.sources.filter((source) => source.name !== name)
  return { ...record, sources: [...others, { ...settingsOf(record, name), ...change }] }
}

/** A new key; those that work now stop at `expiresAt`, unless they stop before. */
export const withRotatedKey = (record: ProjectRecord, name: string, key: string, now: number, expiresAt: number): Changed => {
  if (!hasSource(record, name)) return refuse('SOURCE_NOT_FOUND')
  const ends = (known: WriteKey): WriteKey =>
    known.source === name && isKeyLive(known, now) ? { ...known, expiresAt: Math.min(known.expiresAt ?? expiresAt, expiresAt) } : known
  const rotated = withWriteKey({ ...record, writeKeys: record.writeKeys.map(ends) }, name, key, now)
  if (isRefusal(rotated) || name !== FIRST_SOURCE || record.shownWriteKey === undefined) return rotated
  return { ...rotated, shownWriteKey: key }
}

/** A key that is revoked already stays so. */
export const withoutKey = (record: ProjectRecord, name: string, id: string, now: number): Changed => {
  if (!hasSource(record, name)) return refuse('SOURCE_NOT_FOUND')
  if (!record.writeKeys.some((key) => key.source === name && key.id === id)) return refuse('KEY_NOT_FOUND')
  const revoked = (key: WriteKey): WriteKey => (key.source === name && key.id === id ? { ...key, revokedAt: key.revokedAt ?? now } : key)
  return { ...record, writeKeys: record.writeKeys.map(revoked) }
}

const hasSource = (record: ProjectRecord, name: string): boolean => sourcesOf(record).some((source) => source.name === name)

/** The keys without the dead ones that stand in the way of one more, oldest first; null when all of the source work. */
const roomForKey = (keys: readonly WriteKey[], source: string, now: number): readonly WriteKey[] | null => {
  const own = keys.filter((key) => key.source === source)
  const tooMany = own.length + 1 - KEYS_OF_SOURCE_MAX
  if (tooMany <= 0) return keys
  const leave = own.filter((key) => !isKeyLive(key, now)).slice(0, tooMany)
  return leave.length < tooMany ? null : keys.filter((key) => !leave.includes(key))
}

/** The key that a start shows is one of the first source; when it no longer works, the next one takes its place. */
const withKeyToShow = (record: ProjectRecord, source: string, key: string, now: number): ProjectRecord => {
  if (source !== FIRST_SOURCE) return record
  const shown = record.shownWriteKey === undefined ? undefined : hashKey(record.shownWriteKey)
  const works = record.writeKeys.some((known) => known.hash === shown && isKeyLive(known, now))
  return works ? record : { ...record, shownWriteKey: key }
}
