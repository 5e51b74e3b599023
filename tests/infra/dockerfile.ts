import { text } from './files.ts'

export interface Stage {
  readonly name: string
  readonly from: string
  readonly steps: readonly { readonly word: string; readonly rest: string }[]
}

/** Stages of a Dockerfile in their order; variables of FROM are filled in. */
export const stagesOf = (path: string): readonly Stage[] => {
  const args = new Map<string, string>()
  const stages: { name: string; from: string; steps: { word: string; rest: string }[] }[] = []
  const lines = text(path).replaceAll(/\\\n/g, ' ').split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'))
  for (const line of lines) {
    const [word = '', ...others] = line.trim().split(/\s+/)
    const rest = line.trim().slice(word.length).trim()
    if (word === 'ARG' && stages.length === 0) args.set(rest.split('=')[0]!, rest.slice(rest.indexOf('=') + 1))
    else if (word === 'FROM') stages.push({ name: others[2] ?? '', from: others[0]!.replace(/\$\{(\w+)\}/, (_, name: string) => args.get(name) ?? ''), steps: [] })
    else stages.at(-1)!.steps.push({ word, rest })
  }
  return stages
}
