/** ClickHouse, as a server or in process. Statements are complete texts: values are rendered by `warehouse`. */
export interface ColumnStore {
  command(sql: string): Promise<void>
  /** All rows of a bounded answer. @throws StoreError */
  query<Row>(sql: string, options?: QueryOptions): Promise<readonly Row[]>
  /** The answer in a ClickHouse format, as it is produced. An error in the middle is thrown by the iterator. */
  stream(sql: string, format: string, options?: QueryOptions): AsyncIterable<Uint8Array>
  /** One block, all or nothing per part; `token` makes a repeat of the same insert a no-op. */
  insert(insert: Insert): Promise<void>
  close(): Promise<void>
}

export interface Insert {
  readonly table: string
  /** JSONEachRow. */
  readonly rows: Uint8Array
  readonly token: string
}

export interface QueryOptions {
  /** Sent with this statement alone; never sticks to the connection. */
  readonly settings?: Readonly<Record<string, string | number>>
}

export class StoreError extends Error {
  override readonly name = 'StoreError'
  /** ClickHouse's own error code, 0 where there is none. */
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}
