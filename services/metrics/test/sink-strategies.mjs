import { randomUUID } from 'node:crypto'

/** Half of the protocol taken away; a chaos test that does not notice is no test. */
export const strategies = {
  declared: {},
  withoutToken: { token: (token) => `${token}:${randomUUID()}` },
  withoutJournal: { declare: () => Promise.resolve(), read: () => undefined },
}
