import { z } from 'zod'

/** A source is one sender of events: a site, an app, a server. */
export const sourceName = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'up to 64 small letters, digits, - and _, beginning with a letter or digit')

/** The source that a project begins with. */
export const FIRST_SOURCE = 'default'

const WILDCARD = '://*.'

/** As browsers write it in Origin, with an optional `*.` before the host; null when the text is no origin. */
export const originOf = (text: string): string | null => {
  const wild = text.includes(WILDCARD)
  const plain = (wild ? text.replace(WILDCARD, '://') : text).trim().toLowerCase()
  if (!URL.canParse(plain)) return null
  const url = new URL(plain)
  if (url.host === '' || url.host.includes('*') || !['', '/'].includes(url.pathname) || url.search || url.hash || url.username) return null
  const origin = `${url.protocol}//${url.host}`
  return wild ? origin.replace('://', WILDCARD) : origin
}

const allowedOrigin = z.string().max(300)
  .refine((text) => originOf(text) !== null, 'an origin like https://shop.example or https://*.shop.example')
  .overwrite((text) => originOf(text) ?? text)

/** What can be said of a source; the defaults are those of a source that nobody said anything of. */
export const sourceSettings = z.object({
  name: sourceName,
  /** Pages that may send; an empty list allows all. */
  allowedOrigins: z.array(allowedOrigin).max(50).default([]),
  /** Of each key, at each copy of ingest; null: no limit of its own. */
  eventsPerSecondMax: z.int().min(1).max(1_000_000).nullable().default(null),
  /** A trusted server, not somebody's browser or phone: its word about addresses counts, and it can be told to slow down. */
  server: z.boolean().default(false),
})
export type SourceSettings = z.infer<typeof sourceSettings>

const KEY_ID_LENGTH = 12

/** A write key as it is kept: never the key. It works until `expiresAt`, and no more once it has `revokedAt`. */
export const writeKey = z
  .object({
    /** By which people speak of the key: the beginning of its hash. */
    id: z.string().optional(),
    hash: z.string(),
    source: z.string(),
    createdAt: z.int().optional(),
    expiresAt: z.int().optional(),
    revokedAt: z.int().optional(),
  })
  .transform((key) => ({ ...key, id: key.id ?? keyIdOf(key.hash) }))
export type WriteKey = z.infer<typeof writeKey>

export const keyIdOf = (hash: string): string => hash.slice(0, KEY_ID_LENGTH)

/** Whether a key opens the door at `now` (ms UTC). */
export const isKeyLive = ({ expiresAt, revokedAt }: Pick<WriteKey, 'expiresAt' | 'revokedAt'>, now: number): boolean =>
  revokedAt === undefined && (expiresAt === undefined || now < expiresAt)

export const SOURCES_MAX = 200
export const KEYS_OF_SOURCE_MAX = 20

interface WithSources {
  readonly sources: readonly SourceSettings[]
  readonly writeKeys: readonly WriteKey[]
}

/** The settings of a source, also of one that has keys and no settings of its own. */
export const settingsOf = ({ sources }: Pick<WithSources, 'sources'>, name: string): SourceSettings =>
  sources.find((source) => source.name === name) ?? { name, allowedOrigins: [], eventsPerSecondMax: null, server: false }

/** All sources of a project: those with settings, and those that only have keys. */
export const sourcesOf = (project: WithSources): readonly SourceSettings[] => {
  const names = new Set([...project.sources.map(({ name }) => name), ...project.writeKeys.map(({ source }) => source)])
  return [...names].map((name) => settingsOf(project, name))
}
