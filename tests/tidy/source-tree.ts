import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { parseSync, Visitor } from 'oxc-parser'

export const root = resolve(import.meta.dirname, '../..')

export interface SourceFile {
  /** Path from the root of the project. */
  readonly path: string
  /** `packages/identity`, `services/ingest`, … */
  readonly workspace: string
  readonly isTest: boolean
  readonly lines: number
  readonly imports: readonly string[]
  readonly functionLines: readonly number[]
  readonly anys: number
  readonly faults: readonly string[]
}

export const workspaces = (): readonly string[] =>
  ['packages', 'services'].flatMap((group) =>
    readdirSync(join(root, group))
      .filter((name) => statSync(join(root, group, name)).isDirectory())
      .map((name) => `${group}/${name}`),
  )

export const sourceFiles = (): readonly SourceFile[] => [
  ...workspaces().flatMap((workspace) => filesBelow(join(root, workspace)).map((path) => readSource(path, workspace))),
  ...filesBelow(join(root, 'tests')).map((path) => readSource(path, 'tests')),
]

const filesBelow = (folder: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (['node_modules', 'dist', 'fixtures'].includes(entry.name)) return []
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return filesBelow(path)
    return /\.tsx?$/.test(entry.name) && !entry.name.endsWith('.d.ts') ? [path] : []
  })

const TEST_PATH = /(\.test\.ts$|\/test\/|\/bench\/|\/suites\/|\/simulation\/|^tests\/|\/testkit\/)/

const readSource = (file: string, workspace: string): SourceFile => {
  const text = readFileSync(file, 'utf8')
  const path = relative(root, file)
  const lineAt = lineCounter(text)
  const functionLines: number[] = []
  const faults: string[] = []
  const imports: string[] = []
  let anys = 0
  let depth = 0
  const enter = (node: { start: number; end: number }): void => {
    depth++
    functionLines.push(lineAt(node.end) - lineAt(node.start) + 1)
  }
  const leave = (): void => {
    depth--
  }
  const { program } = parseSync(file, text)
  new Visitor({
    FunctionDeclaration: enter,
    'FunctionDeclaration:exit': leave,
    FunctionExpression: enter,
    'FunctionExpression:exit': leave,
    ArrowFunctionExpression: enter,
    'ArrowFunctionExpression:exit': leave,
    ImportDeclaration: (node) => void imports.push(node.source.value),
    ExportNamedDeclaration: (node) => void (node.source && imports.push(node.source.value)),
    ExportAllDeclaration: (node) => void imports.push(node.source.value),
    ImportExpression: (node) => {
      if (node.source.type === 'Literal') imports.push(String(node.source.value))
    },
    TSAnyKeyword: () => void anys++,
    VariableDeclaration: (node) => {
      if (depth === 0 && node.kind !== 'const') faults.push(`${path}:${lineAt(node.start)} keeps state in the module (${node.kind})`)
    },
    MemberExpression: (node) => {
      const name = `${node.object.type === 'Identifier' ? node.object.name : '?'}.${node.property.type === 'Identifier' ? node.property.name : '?'}`
      if (name === 'Date.now' || name === 'Math.random' || name === 'process.env') faults.push(`${path}:${lineAt(node.start)} uses ${name}`)
    },
    NewExpression: (node) => {
      if (node.callee.type === 'Identifier' && node.callee.name === 'Date' && node.arguments.length === 0)
        faults.push(`${path}:${lineAt(node.start)} uses new Date()`)
    },
  }).visit(program)
  return { path, workspace, isTest: TEST_PATH.test(path), lines: lineAt(text.length), imports, functionLines, anys, faults }
}

const lineCounter = (text: string): ((offset: number) => number) => {
  const starts = [0, ...[...text.matchAll(/\n/g)].map((feed) => feed.index + 1)]
  return (offset) => {
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (starts[middle]! <= offset) low = middle
      else high = middle - 1
    }
    return low + 1
  }
}

/** The workspace that an import of a file lands in; null for a library. */
export const importedWorkspace = (file: SourceFile, specifier: string): string | null => {
  if (specifier.startsWith('@millrace/')) {
    const name = specifier.split('/')[1]!
    return workspaces().find((workspace) => basename(workspace) === name) ?? null
  }
  if (!specifier.startsWith('.')) return null
  const target = relative(root, resolve(join(root, dirname(file.path)), specifier))
  return workspaces().find((workspace) => target.startsWith(`${workspace}/`)) ?? null
}

export const percentile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
}
