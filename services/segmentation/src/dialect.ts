import type { Dialect } from '@millrace/segments'
import { float, instant, integer, personIdSql, quoted } from '@millrace/warehouse'

/** The warehouse's checked literals, for the SQL of rules. */
export const dialect: Dialect = { quoted, float, integer, instant, personId: personIdSql() }
