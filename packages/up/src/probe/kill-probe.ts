/** Called at named points of the work, so that a test can end the process exactly there. */
export type Probe = (point: string) => void

/**
 * Reads `point:nth` or `point:nth+milliseconds`: the process dies at the nth passing of the point, as by `kill -9`, or
 * so long after it (inside what the point stands before). For tests of crashes.
 * @throws Error when the text is not of that form
 */
export const killProbe = (text: string, kill: (afterMs: number) => void): Probe => {
  const [, point, nth, afterMs] = /^(.+):(\d+)(?:\+(\d+))?$/.exec(text) ?? []
  if (point === undefined) throw new Error(`MILLRACE_PROBE_KILL must be POINT:NTH or POINT:NTH+MS, not ${text}`)
  let passings = 0
  return (passed) => {
    if (passed === point && ++passings === Number(nth)) kill(Number(afterMs ?? 0))
  }
}
