/** `events.mjs` is plain JavaScript, since the senders run it without a build. */
export const eventText: (times: { readonly run: string; readonly people: number; readonly fromMs: number; readonly stepMs: number }, n: number) => string
