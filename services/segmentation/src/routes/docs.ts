import { type ErrorCode, ruleInput } from '@millrace/contracts'
import type { RouteDocs } from '@millrace/service-kit'
import { flipsQuery, membersQuery, previewBody, segmentBody } from './schemas.ts'

const RULE_CODES: readonly ErrorCode[] = ['BAD_REQUEST', 'RULE_INVALID', 'LEAF_NOT_AVAILABLE']
/** A change goes through the log, and another one may be first. */
const CHANGE_CODES: readonly ErrorCode[] = ['CONFLICT', 'LOG_FULL', 'LOG_BUSY', 'LOG_CLOSED']
/** The server reads `rule` by itself, to name the path of a fault; it has this shape. */
const withRule = segmentBody.extend({ rule: ruleInput })

export const docs = {
  create: {
    summary: 'Makes a segment; its past is filled in while the stream goes on.', access: 'admin', body: withRule,
    answer: { status: 201, description: '`{id, name, version, state, definition}`' }, codes: [...RULE_CODES, ...CHANGE_CODES, 'SEGMENT_BOUND'],
  },
  list: { summary: 'All segments of the project.', access: 'api-key', answer: { description: '`{segments, definition}`' } },
  one: { summary: 'A segment.', access: 'api-key', answer: { description: 'Name, rule, version, state, size.' }, codes: ['SEGMENT_NOT_FOUND'] },
  change: {
    summary: 'Gives a segment a new version.', access: 'admin', body: withRule,
    answer: { description: '`{id, name, version, state, definition}`' }, codes: [...RULE_CODES, ...CHANGE_CODES, 'SEGMENT_NOT_FOUND'],
  },
  remove: {
    summary: 'Deletes a segment: every member leaves.', access: 'admin',
    answer: { status: 204, description: 'The log has it.', type: null }, codes: [...CHANGE_CODES, 'SEGMENT_NOT_FOUND'],
  },
  preview: {
    summary: 'Who a rule would have, counted as of now, without keeping it.', access: 'api-key', body: previewBody.extend({ rule: ruleInput }),
    answer: { description: '`{size, people, sample, asOf, definition}`' }, codes: [...RULE_CODES, 'STORE_UNAVAILABLE', 'QUERY_TIMEOUT', 'QUERY_TOO_LARGE'],
  },
  members: {
    summary: 'The members, a page at a time.', access: 'api-key', query: membersQuery,
    answer: { description: '`{members, next, definition}`' }, codes: ['BAD_REQUEST', 'SEGMENT_NOT_FOUND', 'STORE_UNAVAILABLE'],
  },
  flips: {
    summary: 'Entries and exits, oldest first.', access: 'api-key', query: flipsQuery,
    answer: { description: '`{flips, next, definition}`' }, codes: ['BAD_REQUEST', 'SEGMENT_NOT_FOUND', 'STORE_UNAVAILABLE'],
  },
  explain: {
    summary: 'Why a person is in a segment or not, and when that will change.', access: 'api-key',
    answer: { description: 'The membership, and the value of each leaf.' }, codes: ['SEGMENT_NOT_FOUND', 'PERSON_NOT_FOUND'],
  },
} as const satisfies Record<string, RouteDocs>
