import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { isFields, type Project } from '@millrace/contracts'
import { secretOf } from './visitor-id.ts'

/** Who visits, and during which visit. */
export interface Visit {
  readonly visitor: string
  readonly visit: string
}

const VISIT_MS_MAX = 30 * 60_000
const HOUR_MS = 3_600_000
const TOKEN_LENGTH_MAX = 1_024

/** A visit that no token tells of: all that a visitor does within an hour. Of the same visitor and hour always the same. */
export const visitOf = (project: Project, visitor: string, at: number): Visit => {
  const hash = createHash('sha256').update([secretOf(project), visitor, Math.floor(at / HOUR_MS)].join('\n')).digest('hex')
  return { visitor, visit: hash.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-') }
}

/** What a page carries from one event to the next: nobody else can make one, and one of another site is none. */
export const signVisit = (project: Project, site: string, { visitor, visit }: Visit, at: number): string => {
  const text = Buffer.from(JSON.stringify({ visitor, visit, at })).toString('base64url')
  return `${text}.${signatureOf(project, site, text).toString('base64url')}`
}

/** The visitor of a token, with the visit while it lasts, else a new one; null when the token is not ours. */
export const readVisit = (project: Project, site: string, token: string | undefined, at: number): Visit | null => {
  if (token === undefined || token.length > TOKEN_LENGTH_MAX) return null
  const [text = '', given = ''] = token.split('.', 2)
  const signature = Buffer.from(given, 'base64url')
  const wanted = signatureOf(project, site, text)
  if (signature.length !== wanted.length || !timingSafeEqual(signature, wanted)) return null
  const told: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
  if (!isFields(told)) return null
  const { visitor, visit, at: seenAt } = told as { visitor: string; visit: string; at: number }
  return at - seenAt <= VISIT_MS_MAX ? { visitor, visit } : visitOf(project, visitor, at)
}

const signatureOf = (project: Project, site: string, text: string): Buffer =>
  createHmac('sha256', secretOf(project)).update(`visit\n${project.id}\n${site}\n${text}`).digest()
