import type { RouteDocs } from '@millrace/service-kit'

export const SOURCE_CONFIG: RouteDocs = {
  summary: 'What RudderStack’s browser SDK asks before it sends.', access: 'write-key', answer: { description: 'RudderStack’s source, on and without destinations.' },
  codes: ['WRITE_KEY_MISSING', 'WRITE_KEY_UNKNOWN'],
}
