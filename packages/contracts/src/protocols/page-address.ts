import { type Fields, textOf } from '../fields.ts'
import { type FieldTable, placed } from './place.ts'

/** Query parameters by which an address names the campaign that led to it. */
export const UTM: FieldTable = [
  ['utm_source', 'campaign.source'], ['utm_medium', 'campaign.medium'], ['utm_campaign', 'campaign.name'], ['utm_term', 'campaign.term'],
  ['utm_content', 'campaign.content'], ['utm_id', 'campaign.id'],
]

const PAGE: FieldTable = ['url', 'path', 'search', 'title', 'referrer'].map((name) => [name, `page.${name}`])

/** Where an address has no site of its own, any will do: only its path and its query are looked at. */
const ANY_SITE = 'http://site.invalid'

interface Page {
  /** Whole, or from the path on. */
  readonly url: unknown
  readonly title?: unknown
  readonly referrer?: unknown
}

/** `page` and `campaign` of a context, for protocols whose server takes an address apart itself. An address that is none is kept as it is. */
export const pageContext = ({ url, title, referrer }: Page, campaigns: FieldTable = UTM): Record<string, unknown> => {
  const text = textOf(url)
  const isWhole = text !== undefined && URL.canParse(text)
  const parts = text !== undefined && URL.canParse(text, ANY_SITE) ? new URL(text, ANY_SITE) : null
  const query: Fields = parts ? Object.fromEntries(parts.searchParams) : {}
  return {
    ...placed({ url: isWhole || !parts ? text : undefined, path: parts?.pathname, search: parts?.search, title, referrer }, PAGE),
    ...placed(query, campaigns),
  }
}
