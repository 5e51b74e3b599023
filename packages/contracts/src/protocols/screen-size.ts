import { type Fields, textOf } from '../fields.ts'

/** `screen` of a context, of a size written as `1280x1024`. */
export const screenContext = (size: unknown): Fields => {
  const [, width, height] = /^(\d{1,5})x(\d{1,5})$/.exec(textOf(size) ?? '') ?? []
  return width === undefined || width === '0' ? {} : { screen: { width: Number(width), height: Number(height) } }
}
