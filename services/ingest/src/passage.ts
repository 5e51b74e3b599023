import { clockSkew, type Origin, ProblemError, refuse } from '@millrace/contracts'
import { problemOf, sendProblem, type WriteAccess } from '@millrace/service-kit'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { accessOf, type Keys, knownAccess } from './access-of.ts'
import { isTurnedAway } from './counters.ts'
import { isDevice } from './domain/peer.ts'
import { deviceIn, timesOf } from './domain/sender-clocks.ts'
import type { SentEvent } from './domain/sent-event.ts'
import { unpack } from './domain/unpack.ts'
import { FORM_FIELDS_MAX, RequestWire, type Wire } from './domain/wire.ts'
import type { Door } from './door.ts'
import type { Asked, Protocol, Unlink } from './protocols/protocol.ts'
import { send, withRetryAfter } from './send.ts'

/** A request on its way through the door. */
interface Passage {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly receivedAt: number
  /** As it came, until it is unpacked. */
  wire: Wire
  /** The first of its path, until it is recognised. */
  protocol: Protocol
  access: WriteAccess | undefined
}

/**
 * Without promises where the body is not packed and the key is known: each request waits for the log, and what it holds while it
 * waits is copied by every collection of garbage.
 */
export const collect = (door: Door, path: string, users: readonly Protocol[]) => (request: FastifyRequest, reply: FastifyReply): void => {
  const packed = Buffer.isBuffer(request.body) ? request.body : NO_BODY
  const passage: Passage = { request, reply, receivedAt: door.receivedAt(), wire: new RequestWire(request, path, packed), protocol: users[0]!, access: undefined }
  const read = (body: Buffer): void => {
    if (body !== packed) passage.wire = new RequestWire(request, path, body)
    const { wire } = passage
    if (users.length > 1) passage.protocol = users.find((user) => user.recognise(wire)) ?? passage.protocol
    const key = passage.protocol.keyOf(wire)
    passage.access = knownAccess(door, key)
    if (passage.access) return take(door, passage)
    takeLater(door, passage, key).catch((error: unknown) => refuseRequest(door, passage, error))
  }
  try {
    const body = unpack(packed, door.config.INFLATED_BYTES_MAX)
    if (Buffer.isBuffer(body)) read(body)
    else body.then(read, (error: unknown) => refuseRequest(door, recognisedBeside(passage, users), error)).catch((error: unknown) => refuseRequest(door, passage, error))
  } catch (error) {
    refuseRequest(door, passage, error)
  }
}

/** What is wrong before the body is there: it is over its bound, or there is no room for it. */
export const refuseUnread = (door: Door, path: string, users: readonly Protocol[]) => (request: FastifyRequest, reply: FastifyReply, problem: ProblemError): void => {
  const passage: Passage = { request, reply, receivedAt: door.receivedAt(), wire: new RequestWire(request, path, NO_BODY), protocol: users[0]!, access: undefined }
  const told = problem.code === 'BODY_TOO_LARGE' ? new ProblemError(problem.code, `the body has more than ${door.config.BODY_BYTES_MAX} bytes; none of it is kept`) : problem
  refuseRequest(door, recognisedBeside(passage, users), told)
}

const NO_BODY = Buffer.alloc(0)
const NO_UNLINKS: readonly Unlink[] = []

const take = (door: Door, passage: Passage): void => {
  const { request, reply, receivedAt, wire, protocol } = passage
  const access = passage.access!
  const { project, source } = access
  const asked: Asked = { project, source, isServer: access.settings.server, eventsMax: door.config.BATCH_EVENTS_MAX, receivedAt }
  const { sentAt, clockAt = sentAt, context, events, unlinks = NO_UNLINKS } = protocol.decode(wire, asked)
  if (wire.isFormCut) throw new ProblemError('BODY_TOO_LARGE', `the form has more than ${FORM_FIELDS_MAX} fields`)
  const refused = notAdmitted(door, access, request, events.length)
  if (refused) throw refused
  const skewMs = clockAt === null ? undefined : skewOf(door, passage, clockAt, events)
  const origin: Origin = context || skewMs !== undefined
    ? { source, protocol: protocol.name, receivedAt, sentAt, ...(context ? { context } : {}), ...(skewMs === undefined ? {} : { skewMs }) }
    : { source, protocol: protocol.name, receivedAt, sentAt }
  const peer = asked.isServer ? null : door.peers.fieldOf(request)
  door.take({ project, origin, request: request.id, peer }, events, unlinks, (fault, taken) => {
    answering(reply, () => (fault === null ? send(reply, protocol.answer(wire, taken, asked)) : refuseRequest(door, passage, fault)))
  })
}

/** Many requests are answered behind one append: a fault in the words for one of them is its own. */
const answering = (reply: FastifyReply, answer: () => unknown): void => {
  try {
    answer()
  } catch (error) {
    reply.send(error)
  }
}

/** Undefined where the rule of one request alone says the same. */
const skewOf = (door: Door, { request, receivedAt, access, protocol }: Passage, sentAt: number, events: readonly SentEvent[]): number | undefined => {
  const { ip, headers } = request
  const device = isDevice(headers) ? deviceIn(events[0]?.raw) : ''
  const sender = `${access!.project.id} ${access!.source} ${device || `${ip} ${headers['user-agent'] ?? ''}`}`
  const skew = door.senderClocks.skewOf({ sender, sentAt, receivedAt, times: () => timesOf(protocol.name, events.map(({ raw }) => raw)) })
  return skew === clockSkew(sentAt, receivedAt) ? undefined : skew
}

/** Why the settings of the source do not let the request in, or null. */
const notAdmitted = (door: Door, access: WriteAccess, request: FastifyRequest, events: number): ProblemError | null => {
  const refusal = door.admit(access, { origin: request.headers.origin, events })
  return refusal && new ProblemError(refusal.code, refusal.detail, refusal)
}

/** Another copy may have made the key a moment ago. */
const takeLater = async (door: Door, passage: Passage, key: Keys): Promise<void> => {
  passage.access = await accessOf(door, key)
  take(door, passage)
}

/** The answer of a no, counted where nothing was taken. */
export const sendNo = (door: Door, { request, reply, protocol, wire }: Pick<Passage, 'request' | 'reply' | 'protocol' | 'wire'>, problem: ProblemError): void => {
  if (isTurnedAway(problem)) door.counters.turnedAway.inc({ code: problem.code })
  const words = protocol.refuse(problem, wire)
  if (words) send(withRetryAfter(reply, problem), words)
  else sendProblem(reply, request, problem)
}

/** The request as far as it can be told without its body. */
const besideBody = ({ request, wire }: Passage): Wire => new RequestWire(request, wire.path, NO_BODY)

const recognisedBeside = (passage: Passage, users: readonly Protocol[]): Passage =>
  ({ ...passage, protocol: users.find((user) => user.recognise(besideBody(passage))) ?? passage.protocol })

/** Whose body it is that cannot be read: its key may stand in a header or in the address. */
const accessBeside = (door: Door, passage: Passage): WriteAccess | undefined => {
  try {
    return knownAccess(door, passage.protocol.keyOf(besideBody(passage)))
  } catch (error) {
    if (error instanceof ProblemError) return undefined
    throw error
  }
}

/** In the protocol's words where it has some; what is wrong with a body of a known sender is kept first. */
const refuseRequest = (door: Door, passage: Passage, error: unknown): void => {
  const { request, reply, protocol, wire } = passage
  const problem = problemOf(error)
  if (problem.code === 'INTERNAL') return void reply.send(error)
  const answer = (): void => sendNo(door, passage, problem)
  if (!isOfBody(problem) || protocol.keepsNothing?.(wire)) return answer()
  const access = passage.access ?? accessBeside(door, passage)
  if (access) {
    // What cannot be read counts as one event.
    const refused = notAdmitted(door, access, request, 1)
    return refused ? refuseRequest(door, passage, refused) : keepBody(door, passage, access, problem, answer)
  }
  door.counters.unauthorised.inc({ code: problem.code })
  answer()
}

/** A body that is none of ours to read, from a sender that we know: kept as it came, and counted once. */
const keepBody = (door: Door, passage: Passage, { project, source }: WriteAccess, problem: ProblemError, answer: () => void): void => {
  const { request, reply, protocol, wire, receivedAt } = passage
  const origin: Origin = { source, protocol: protocol.name, receivedAt, sentAt: null }
  const sent = wire.body.length > 0 || wire.method === 'POST' ? wire.body : Buffer.from(JSON.stringify(wire.query))
  try {
    door.keepBody({ project, origin, request: request.id }, sent, refuse(problem.code, problem.message), (fault) => answering(reply, () => (fault === null ? answer() : refuseRequest(door, passage, fault))))
  } catch (error) {
    refuseRequest(door, passage, error)
  }
}

const isOfBody = ({ status }: ProblemError): boolean => status >= 400 && status < 500 && status !== 401 && status !== 403 && status !== 429
