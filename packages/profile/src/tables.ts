/**
 * Tables: rows sorted by their first field. They are arrays and not objects, since the keys come from senders
 * (`__proto__` is a name like any other), since the order is the same after any way of storing them, and since
 * the bound can be kept exactly: the rows with the `max` smallest keys stay. A key that stays in the sum of two
 * tables has stayed in each of them, so nothing of it was lost on the way, whatever the order of additions.
 */
export type Row = readonly [key: string, ...rest: unknown[]]

/** Index of the key, or `-1 - index` of the place where it belongs. */
export const find = (table: readonly Row[], key: string): number => {
  let low = 0
  let high = table.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (table[middle]![0] < key) low = middle + 1
    else high = middle
  }
  return low < table.length && table[low]![0] === key ? low : -1 - low
}

/** Changes one row of a table that the caller owns. True when a row fell over the bound. */
export const put = <R extends Row>(table: R[], key: string, max: number, change: (before: R | undefined) => R): boolean => {
  const at = find(table, key)
  if (at >= 0) {
    table[at] = change(table[at])
    return false
  }
  const place = -1 - at
  if (place >= max) return true
  table.splice(place, 0, change(undefined))
  if (table.length <= max) return false
  table.pop()
  return true
}

/** The sum of two tables, and whether a row fell over the bound. */
export const join = <R extends Row>(
  a: readonly R[],
  b: readonly R[],
  max: number,
  combine: (a: R, b: R) => R,
): { rows: R[]; dropped: boolean } => {
  const rows: R[] = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    const left = a[i]
    const right = b[j]
    if (left && right && left[0] === right[0]) {
      rows.push(combine(left, right))
      i++
      j++
    } else if (!right || (left && left[0] < right[0])) rows.push(a[i++]!)
    else rows.push(b[j++]!)
  }
  const dropped = rows.length > max
  if (dropped) rows.length = max
  return { rows, dropped }
}
