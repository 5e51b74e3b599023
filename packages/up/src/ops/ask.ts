/** What an address answered, and when by its own clock. */
export interface Answered {
  readonly status: number
  readonly text: string
  /** Its `Date` header; null without one. */
  readonly dateMs: number | null
}

const ANSWER_MS_MAX = 15_000

/** @throws Error in one sentence when nothing answers in time */
export const ask = async (url: string, apiKey: string | null = null): Promise<Answered> => {
  try {
    const headers: Record<string, string> = apiKey === null ? {} : { authorization: `Bearer ${apiKey}` }
    const answer = await fetch(url, { headers, signal: AbortSignal.timeout(ANSWER_MS_MAX) })
    const date = Date.parse(answer.headers.get('date') ?? '')
    return { status: answer.status, text: await answer.text(), dateMs: Number.isNaN(date) ? null : date }
  } catch (error) {
    const { cause, message } = error as Error & { cause?: { code?: string } }
    throw new Error(`${url} does not answer (${cause?.code ?? message})`, { cause: error })
  }
}

/** A JSON answer of the API. @throws Error in one sentence, with the problem's own words */
export const askApi = async <Answer>(url: string, path: string, apiKey: string): Promise<Answer> => {
  const { status, text } = await ask(url + path, apiKey)
  if (status === 200) return JSON.parse(text) as Answer
  throw new Error(`${url}${path} answered ${status}: ${text.slice(0, 300)}`)
}
