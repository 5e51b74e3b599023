const NAME = /^[A-Za-z][A-Za-z0-9_+\-/]{0,60}$/

/**
 * The name under which every part knows a zone: `Asia/Kolkata` is `Asia/Calcutta`, `utc` is `UTC`. Null for a name that
 * is no zone. A project's zone is kept by this name, since it is fixed for ever and the column store has names of its own.
 */
export const canonicalZone = (name: string): string | null => {
  if (!NAME.test(name)) return null
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone
  } catch {
    return null
  }
}

/** A zone as it was written, but in the one spelling of capitals that the column store reads. */
export const spelledZone = (name: string): string => {
  const canonical = canonicalZone(name)
  return canonical?.toLowerCase() === name.toLowerCase() ? canonical : name
}
