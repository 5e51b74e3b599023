import type { Golden } from './golden.ts'

/** Protocols × SDK × version × what was sent × what is stored. */
export const tableOf = (goldens: readonly Golden[]): string => {
  const rows = goldens.map(({ protocol, sdk, version, runtime, sent, exchanges, stored, rejected }) => [
    protocol, sdk, version, runtime, String(exchanges.length), sent, storedWords(stored), String(rejected.length),
  ])
  return [['protocol', 'SDK', 'version', 'runtime', 'requests', 'sent', 'stored', 'refused'], ['---', '---', '---', '---', '---', '---', '---', '---'], ...rows]
    .map((row) => `| ${row.join(' | ')} |`).join('\n')
}

const storedWords = (stored: Golden['stored']): string => {
  const counts = new Map<string, number>()
  for (const { type, event } of stored) {
    const name = type === 'track' ? event : type
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return [...counts].map(([name, count]) => (count === 1 ? name : `${count} ${name}`)).sort().join(', ')
}
