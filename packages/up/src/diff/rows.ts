/** A view as one folder has it. */
interface ViewHead {
  readonly view: string
  readonly columns: readonly string[]
}

/** The rows of a folder, read once, from the first view to the last. */
export interface FolderRows {
  /** The next view; the rows of the one before must have been read. Null behind the last. @throws when the rows end too early */
  view(): Promise<ViewHead | null>
  /** The text of the view's next row, in ascending order of its bytes; null behind the last. */
  row(): Promise<Buffer | null>
}

const FEED = 0x0a
const ARRAY = 0x5b

export const readRows = (chunks: AsyncIterable<Uint8Array>): FolderRows => {
  const lines = linesOf(chunks)
  let head: Buffer | null = null
  const next = async (): Promise<Buffer> => {
    const { value, done } = await lines.next()
    if (done) throw new Error('the rows of a folder ended too early')
    return value
  }
  return {
    view: async () => {
      const told = JSON.parse((head ?? (await next())).toString('utf8')) as ViewHead | { readonly end: true }
      head = null
      return 'end' in told ? null : told
    },
    row: async () => {
      if (head) return null
      const line = await next()
      if (line[0] === ARRAY) return line
      head = line
      return null
    },
  }
}

async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, undefined> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : Buffer.concat([rest, chunk])
    let at = 0
    for (let feed = bytes.indexOf(FEED); feed >= 0; feed = bytes.indexOf(FEED, at)) {
      yield bytes.subarray(at, feed)
      at = feed + 1
    }
    rest = bytes.subarray(at)
  }
  return undefined
}
