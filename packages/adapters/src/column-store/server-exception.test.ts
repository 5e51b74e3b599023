import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rowsBefore } from './server-exception.ts'

const TAG = 'abcdefghijklmnop'
const TEXT = 'Code: 395. DB::Exception: at number 5: while executing. (FUNCTION_THROW_IF_VALUE_IS_NON_ZERO) (version 26.7.2.1 (official build))'
const block = (text: string): string => `\r\n__exception__\r\n${TAG}\r\n${text}\n${Buffer.byteLength(text) + 1} ${TAG}\r\n__exception__\r\n`

async function* cut(bytes: Buffer, sizes: readonly number[], end?: Error): AsyncIterable<Uint8Array> {
  for (let at = 0, n = 0; at < bytes.length; n++) {
    const size = sizes[n % sizes.length]!
    yield bytes.subarray(at, at + size)
    at += size
  }
  if (end) throw end
}

const read = async (chunks: AsyncIterable<Uint8Array>, tag: string | null): Promise<{ rows: string; fault: unknown }> => {
  const parts: Uint8Array[] = []
  const fault = await (async () => {
    for await (const part of rowsBefore(chunks, tag)) parts.push(Buffer.from(part))
  })().then(() => null, (error: unknown) => error)
  return { rows: Buffer.concat(parts).toString('latin1'), fault }
}

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 })
/** Rows in which pieces of the marker occur. */
const someRows = fc.array(fc.constantFrom('a\n', '\r\n', '\r\n__exception__\r\n', '\r\n__exception__\r\nabcdefg', '__', TAG.slice(1), 'Code: 1'), { maxLength: 30 }).map((parts) => parts.join(''))

describe('an answer with a tag', () => {
  it('is its rows, wherever it is cut, and then the exception', async () => {
    await fc.assert(fc.asyncProperty(someRows, sizes, fc.boolean(), async (rows, pieces, breaks) => {
      const whole = await read(cut(Buffer.from(rows), pieces), TAG)
      expect(whole).toEqual({ rows, fault: null })
      const failed = await read(cut(Buffer.from(rows + block(TEXT)), pieces, breaks ? new Error('aborted') : undefined), TAG)
      expect(failed.rows).toBe(rows)
      expect(failed.fault).toMatchObject({ name: 'StoreError', code: 395, message: TEXT })
    }), { numRuns: 200 })
  })

  it('is an error when it breaks off without one', async () => {
    expect(await read(cut(Buffer.from('1\n2\n'), [3], new Error('aborted')), TAG)).toMatchObject({ rows: '1\n2\n', fault: { message: 'aborted' } })
  })

  it('tells a long text, and one that was cut off', async () => {
    const long = `Code: 1. DB::Exception: ${'x\n'.repeat(8_000)}(X)`
    expect((await read(cut(Buffer.from(`1\n${block(long)}`), [1000]), TAG)).fault).toMatchObject({ code: 1, message: long })
    expect((await read(cut(Buffer.from(`1\n${block(TEXT)}`).subarray(0, 90), [7]), TAG)).fault).toMatchObject({ code: 395 })
  })
})

describe('an answer without a tag, of a server before 25.11', () => {
  it('is its rows, or rows with the text of an exception behind them, which is thrown', async () => {
    await fc.assert(fc.asyncProperty(someRows, sizes, async (rows, pieces) => {
      expect(await read(cut(Buffer.from(rows), pieces), null)).toEqual({ rows, fault: null })
      expect((await read(cut(Buffer.from(rows + TEXT + '\n'), pieces), null)).fault).toMatchObject({ name: 'StoreError', code: 395, message: TEXT })
    }), { numRuns: 100 })
    const many = 'row\n'.repeat(50_000)
    const { rows, fault } = await read(cut(Buffer.from(`${many}${TEXT}`), [4096]), null)
    expect(fault).toMatchObject({ code: 395 })
    expect(many.startsWith(rows)).toBe(true)
    expect(await read(cut(Buffer.from(many), [4096]), null)).toEqual({ rows: many, fault: null })
  })

  it('may hold such a text in its midst', async () => {
    const rows = `${TEXT}\n${'x'.repeat(100)}\n`
    expect(await read(cut(Buffer.from(rows), [50]), null)).toEqual({ rows, fault: null })
  })
})
