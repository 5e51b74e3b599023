import { z } from 'zod'

export type JsonSchema = Readonly<Record<string, unknown>>

/** Schemas of zod as JSON Schema, and the parts that several places of the document name. */
export interface Components {
  /** A reference to the schema, kept under that name. */
  named(name: string, schema: z.ZodType): JsonSchema
  /** The schema itself; what it refers to is kept under names that begin so. */
  inline(name: string, schema: z.ZodType): JsonSchema
  schemas(): Readonly<Record<string, JsonSchema>>
}

export const createComponents = (): Components => {
  const kept: Record<string, JsonSchema> = {}
  /** zod writes references from the schema's own root; in a document they begin at the document's. */
  const inline: Components['inline'] = (name, schema) => {
    // What is sent in; checks that JSON Schema has no words for are left to the server, which names the fault.
    const { $schema: _, $defs, ...own } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema & { $defs?: Record<string, JsonSchema> }
    const moved = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(moved)
      if (typeof value !== 'object' || value === null) return value
      return Object.fromEntries(Object.entries(value).map(([key, of]) => [key, key === '$ref' && typeof of === 'string' ? referenceTo(name, of) : moved(of)]))
    }
    for (const [part, of] of Object.entries($defs ?? {})) kept[`${name}.${part}`] = moved(of) as JsonSchema
    const whole = moved(own) as JsonSchema
    // A schema that names itself must be found under a name, wherever it stands.
    if (JSON.stringify(whole).includes(`"${referenceTo(name, '#')}"`)) kept[name] = whole
    return whole
  }
  return {
    inline,
    named: (name, schema) => {
      kept[name] = inline(name, schema)
      return { $ref: referenceTo(name, '#') }
    },
    schemas: () => kept,
  }
}

const referenceTo = (name: string, of: string): string =>
  of.startsWith('#/$defs/') ? `#/components/schemas/${name}.${of.slice('#/$defs/'.length)}` : `#/components/schemas/${name}${of.slice(1)}`
