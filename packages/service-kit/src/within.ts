import type { Clock } from '@millrace/ports'

/** What the work gives, or `late` when that time has passed first; the work itself goes on. */
export const within = async <Result, Late>(clock: Clock, ms: number, work: Promise<Result>, late: Late): Promise<Result | Late> => {
  let cancel = (): void => {}
  const passed = new Promise<Late>((resolve) => {
    cancel = clock.after(ms, () => resolve(late))
  })
  try {
    return await Promise.race([work, passed])
  } finally {
    cancel()
  }
}
