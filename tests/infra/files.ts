import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, parseAllDocuments } from 'yaml'
import { root } from '../tidy/source-tree.ts'

export const text = (path: string): string => readFileSync(join(root, path), 'utf8')
export const exists = (path: string): boolean => existsSync(join(root, path))

/** YAML as compose reads it, with `<<` merged. @throws on a fault, on a key given twice */
export const yaml = (path: string): unknown => {
  const faults = parseAllDocuments(text(path), { merge: true }).flatMap((document) => ('errors' in document ? document.errors : []))
  if (faults.length > 0) throw faults[0]!
  return parse(text(path), { merge: true, maxAliasCount: -1 })
}

export interface ComposeService {
  readonly image: string
  readonly build?: { readonly dockerfile: string; readonly target: string }
  readonly command?: string | readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly volumes?: readonly string[]
  readonly ports?: readonly string[]
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly networks?: unknown
  readonly profiles?: readonly string[]
  readonly restart?: string
  readonly mem_limit?: string
  readonly cpus?: number
  readonly hostname?: string
  readonly stop_grace_period?: string
}
export interface ComposeFile {
  readonly name: string
  readonly services: Readonly<Record<string, ComposeService>>
  readonly volumes: Readonly<Record<string, unknown>>
}

export const composeFiles = ['docker-compose.yml', 'docker-compose.embedded.yml', 'docker-compose.cluster.yml'] as const
const read = new Map<string, ComposeFile>()
export const compose = (path: (typeof composeFiles)[number]): ComposeFile => {
  const file = read.get(path) ?? (yaml(path) as ComposeFile)
  read.set(path, file)
  return file
}

/** Sources of our programs, tests apart. */
export const sources = (folder: 'packages' | 'services'): readonly { readonly path: string; readonly text: string }[] =>
  readdirSync(join(root, folder)).flatMap((workspace) => {
    const src = join(folder, workspace, 'src')
    if (!exists(src)) return []
    return readdirSync(join(root, src), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .map((file) => ({ path: join(src, file), text: text(join(src, file)) }))
  })

/** `ingest` of `ingest-0`. */
export const serviceOfCopy = (container: string): string => container.replace(/-\d+$/, '')

/** Programs of our own in a compose file: `services/ingest/src/main.ts` of `node services/ingest/dist/main.js`. */
export const programOf = ({ command }: ComposeService): string | undefined =>
  Array.isArray(command) && command[0] === 'node' ? (command[1] as string).replace('/dist/', '/src/').replace(/\.js$/, '.ts') : undefined
