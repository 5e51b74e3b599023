import type { IncomingHttpHeaders } from 'node:http'
import { type Fields, fieldsOf } from '@millrace/contracts'
import type { FastifyRequest } from 'fastify'
import { parseJson } from './parse-json.ts'
import { parseParameter } from './payload.ts'

/** A request as its protocol sees it: the body unpacked, and read in each way at most once. */
export interface Wire {
  readonly method: string
  /** Without its query and without a slash at the end. */
  readonly path: string
  readonly query: Fields
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** Address of whoever called, behind the known proxies. */
  readonly ip: string
  readonly requestId: string
  /** @throws ProblemError NOT_JSON */
  json(): unknown
  /** `a=b&c=d`, whatever its content type says; of a name that comes twice the last. Empty where the body is no form. Of one with too many fields the first. */
  form(): Readonly<Record<string, string>>
  /** Whether `form` was asked for and left fields out. */
  readonly isFormCut: boolean
  /** The JSON that the request holds: the body, or the parameter `data` (`data_list`) of its form or its query; undefined where it holds nothing. @throws ProblemError NOT_JSON */
  data(): unknown
}

/** A class, since one is made for each request: its methods are shared, and what is not asked for is not read. */
export class RequestWire implements Wire {
  readonly #request: FastifyRequest
  readonly path: string
  readonly body: Buffer
  #parsed: { readonly value: unknown } | undefined
  #form: Form | undefined
  #data: { readonly value: unknown } | undefined

  constructor(request: FastifyRequest, path: string, body: Buffer) {
    this.#request = request
    this.path = path
    this.body = body
  }
  get method(): string { return this.#request.method }
  get query(): Fields { return this.#request.query as Fields }
  get headers(): IncomingHttpHeaders { return this.#request.headers }
  get ip(): string { return this.#request.ip }
  get requestId(): string { return this.#request.id }
  json(): unknown { return (this.#parsed ??= { value: parseJson(this.body) }).value }
  form(): Readonly<Record<string, string>> { return (this.#form ??= parseForm(this.body)).fields }
  get isFormCut(): boolean { return this.#form?.isCut === true }
  data(): unknown { return (this.#data ??= { value: readData(this) }).value }
}

/** Whether a body is JSON as it stands. */
export const isPlainJson = (body: Buffer): boolean => /^\s*[[{]/.test(body.toString('latin1', 0, 64))

const readData = (wire: Wire): unknown => {
  if (isPlainJson(wire.body)) return wire.json()
  const parameters: Fields = wire.body.length === 0 ? wire.query : wire.form()
  const parameter = parameters['data'] ?? parameters['data_list']
  const text = typeof parameter === 'string' ? parameter : wire.body.toString('utf8')
  return text.trim() === '' ? undefined : parseParameter(text)
}

/** The body as a JSON object; anything else has no fields. @throws ProblemError NOT_JSON */
export const jsonFields = (wire: Wire): Fields => fieldsOf(wire.json())

/** Names and values of one form; SDKs send some dozens. */
export const FORM_FIELDS_MAX = 1_000

interface Form {
  readonly fields: Readonly<Record<string, string>>
  readonly isCut: boolean
}

const parseForm = (body: Buffer): Form => {
  const fields: Record<string, string> = Object.create(null) as Record<string, string>
  if (!FORM.test(body.toString('latin1', 0, 64))) return { fields, isCut: false }
  let count = 0
  for (const [name, value] of new URLSearchParams(body.toString('utf8'))) {
    if (++count > FORM_FIELDS_MAX) return { fields, isCut: true }
    fields[name] = value
  }
  return { fields, isCut: false }
}

const FORM = /^[\w$.%[\]-]+=/
