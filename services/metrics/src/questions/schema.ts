import type { MetricSchema } from '@millrace/metric-catalog'
import { float, personNumberSql, quoted, STORE_DATABASE, unsigned } from '@millrace/warehouse'

/** The warehouse as the questions of the catalog read it. */
export const warehouseSchema: MetricSchema = {
  events: `${STORE_DATABASE}.events`,
  eventDay: `${STORE_DATABASE}.event_day`,
  text: quoted,
  number: float,
  person: (project, number) => personNumberSql({ project: unsigned(project), number }),
  somebody: 'NOT nobody',
  texts: 'strs',
  numbers: 'nums',
  booleans: 'bools',
  exists: (name) => `(mapContains(strs, ${name}) OR mapContains(nums, ${name}) OR mapContains(bools, ${name}) OR JSONHas(extra, ${name}))`,
}
