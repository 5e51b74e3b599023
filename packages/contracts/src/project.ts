import { z } from 'zod'
import { sourceSettings, writeKey } from './source.ts'

/** What each instance is told of one tenant; fixed at creation in this version. */
export const project = z.object({
  id: z.int().min(1).max(0xffff),
  name: z.string().min(1).max(80),
  /** IANA time zone of days and weeks. */
  zone: z.string(),
  /** ISO 4217, taken where an event names none. */
  currency: z.string().length(3),
  writeKeys: z.array(writeKey),
  /** Settings of sources; a source may also have none. */
  sources: z.array(sourceSettings).default([]),
  apiKeys: z.array(z.object({ hash: z.string(), role: z.enum(['admin', 'analyst']), createdAt: z.int() })),
  /** A repeat is the same message within this time by receivedAt. */
  repeatHorizonMs: z.int().positive().default(7 * 86_400_000),
  identity: z.object({
    /** Declared types besides user_id and anonymous_id, highest priority first; read from traits of the same name. */
    types: z.array(z.object({ type: z.string(), uniquePerPerson: z.boolean() })).default([]),
    blockedValues: z.array(z.string()).default([]),
    keysPerPersonMax: z.int().positive().default(1000),
    mergedPersonsMax: z.int().positive().default(10),
    usersPerDeviceMax: z.int().positive().default(50),
  }),
})
export type Project = z.infer<typeof project>

/** A project as the registry keeps it, in the topic `projects` and in the hot store. The greatest version is the truth. */
export const projectRecord = project.extend({
  version: z.int().nonnegative().default(0),
  /** A write key of the first source, readable: it is shown at each start. */
  shownWriteKey: z.string().optional(),
})
export type ProjectRecord = z.infer<typeof projectRecord>
