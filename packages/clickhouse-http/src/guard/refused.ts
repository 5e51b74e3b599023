/** A statement that analysts may not run; ClickHouse's codes, so that clients show it as they show the server's own. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly code: number
  constructor(message: string, code = ACCESS_DENIED) {
    super(message)
    this.code = code
  }
}

const ACCESS_DENIED = 497
export const READONLY = 164
export const NOT_IMPLEMENTED = 48
