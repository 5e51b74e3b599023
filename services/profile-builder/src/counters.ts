import { Counter, Gauge, type MetricsRegistry } from '@millrace/service-kit'

/** What /metrics tells of fold and its snapshots. */
export interface ProfileCounters {
  readonly foldedLines: Counter
  readonly movedStates: Counter
  readonly snapshotRows: Counter
  readonly snapshotFailures: Counter
  readonly snapshotsWaiting: Gauge
}

/** `waiting` is asked when metrics are read. */
export const createCounters = (registry: MetricsRegistry, waiting: () => number): ProfileCounters => {
  const registers = [registry]
  const counter = (name: string, help: string) => new Counter({ name: `millrace_profile_builder_${name}`, help, registers })
  return {
    snapshotsWaiting: new Gauge({
      name: 'millrace_profile_builder_snapshots_waiting', help: 'profiles that wait for the column store', registers,
      collect() { this.set(waiting()) },
    }),
    foldedLines: counter('folded_lines_total', 'lines of events.resolved that changed a profile'),
    movedStates: counter('moved_states_total', 'states that went on to another person'),
    snapshotRows: counter('snapshot_rows_total', 'profiles written to the column store'),
    snapshotFailures: counter('snapshot_failures_total', 'writes of profiles that are tried again'),
  }
}
