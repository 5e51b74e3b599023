/** What the name of a part tells of it. */
export interface PartName {
  readonly partition: string
  /** Numbers of the first and the last insert that are in it. */
  readonly first: number
  readonly last: number
}

/** `<partition>_<first>_<last>_<level>`, behind a mutation with its number. Null: no part, as what is still being written. */
export const partNamed = (name: string): PartName | null => {
  const [, partition, first, last] = /^([^_]+)_(\d+)_(\d+)_\d+(?:_\d+)?$/.exec(name) ?? []
  return partition === undefined ? null : { partition, first: Number(first), last: Number(last) }
}

/** Whether all inserts of the second are in the first. */
export const covers = (part: PartName, other: PartName): boolean =>
  part.partition === other.partition && part.first <= other.first && part.last >= other.last
