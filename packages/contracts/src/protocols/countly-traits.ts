import { type Fields, fieldsOf, isFields, scalarNumber } from '../fields.ts'

const OPERATIONS: ReadonlyMap<string, 'setOnce' | 'add' | 'append' | 'union' | 'remove'> = new Map([
  ['$setOnce', 'setOnce'], ['$inc', 'add'], ['$push', 'append'], ['$addToSet', 'union'], ['$pull', 'remove'],
])
const LISTS: ReadonlySet<string> = new Set(['append', 'union', 'remove'])

type Operations = Record<string, Record<string, unknown>>

/**
 * `user_details` as traits and operations on them. `custom` lies beside the named fields. An empty value takes a trait away.
 * What is none of our operations ($mul, $max, $min) stays in the properties and changes nothing.
 */
export const countlyTraits = (details: Fields): Fields => {
  const { custom, ...named } = details
  const traits: Record<string, unknown> = {}
  const operations: Operations = {}
  const unset: string[] = []
  const unknown: Operations = {}
  for (const [name, value] of Object.entries({ ...named, ...fieldsOf(custom) })) {
    if (value === null || value === '') unset.push(name)
    else if (isOperation(value)) for (const [operator, operand] of Object.entries(value)) operate(operator, name, operand, operations, unknown)
    else traits[name] = value
  }
  const traitOps = { ...operations, ...(unset.length > 0 ? { unset } : {}) }
  return {
    traits,
    ...(Object.keys(traitOps).length > 0 ? { traitOps } : {}),
    ...(Object.keys(unknown).length > 0 ? { properties: { user_details: unknown } } : {}),
  }
}

const isOperation = (value: unknown): value is Fields => isFields(value) && Object.keys(value).some((name) => name.startsWith('$'))

const operate = (operator: string, name: string, operand: unknown, operations: Operations, unknown: Operations): void => {
  const operation = OPERATIONS.get(operator)
  const into = operation === undefined ? (unknown[name] ??= {}) : (operations[operation] ??= {})
  if (operation === undefined) into[operator] = operand
  else if (operation === 'add') into[name] = scalarNumber(operand)
  else into[name] = LISTS.has(operation) && !Array.isArray(operand) ? [operand] : operand
}
