import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { importedWorkspace, percentile, root, sourceFiles, workspaces } from './source-tree.ts'

const files = sourceFiles()
const source = files.filter((file) => !file.isTest)
/** The one file of a service that knows what it runs on. */
const isServiceMain = (path: string): boolean => /^services\/[\w-]+\/src\/main\.ts$/.test(path)

const PURE = ['identity', 'profile', 'segments', 'metric-catalog'].map((name) => `packages/${name}`)
const SERVICES = ['ingest', 'profile-builder', 'segmentation', 'metrics'].map((name) => `services/${name}`)

/** Who may import whom; a workspace that is not listed here is a fault. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'packages/contracts': [],
  ...Object.fromEntries(PURE.map((name) => [name, ['packages/contracts']])),
  'packages/ports': ['packages/contracts'],
  'packages/warehouse': ['packages/contracts', 'packages/ports'],
  'packages/service-kit': ['packages/contracts', 'packages/ports'],
  'packages/clickhouse-http': ['packages/contracts', 'packages/ports', 'packages/warehouse', 'packages/service-kit'],
  'packages/adapters': ['packages/contracts', 'packages/ports'],
  'packages/wiring': ['packages/contracts', 'packages/ports', 'packages/adapters', 'packages/warehouse'],
  // Types only: what the server answers.
  'packages/console': ['packages/contracts'],
  ...Object.fromEntries(
    SERVICES.map((name) => [name, ['packages/contracts', 'packages/ports', 'packages/service-kit', 'packages/warehouse', ...PURE]]),
  ),
  'packages/up': [...workspaces()],
}

const MAIN_MAY_IMPORT = ['packages/wiring', 'packages/clickhouse-http']

describe('the tree', () => {
  it('imports one way only', () => {
    const faults = source.flatMap((file) =>
      file.imports.flatMap((specifier) => {
        const target = importedWorkspace(file, specifier)
        if (!target || target === file.workspace) return []
        const more = isServiceMain(file.path) ? MAIN_MAY_IMPORT : []
        return [...(MAY_IMPORT[file.workspace] ?? []), ...more].includes(target) ? [] : [`${file.path} imports ${target}`]
      }),
    )
    expect(faults).toEqual([])
    expect(source.flatMap((file) => file.imports).length).toBeGreaterThan(300)
  })

  it('reads the environment in main.ts only, and time and chance in their adapters only', () => {
    const allowed = (fault: string): boolean =>
      (/uses process\.env/.test(fault) && /\/main\.tsx?:/.test(fault)) ||
      (/uses (Date\.now|Math\.random|new Date)/.test(fault) && /^packages\/adapters\/src\/(clock|ids)/.test(fault)) ||
      // The page runs in a browser: its clock is the reader's own.
      /^packages\/console\/src\/.*uses (Date\.now|new Date)/.test(fault)
    expect(source.flatMap((file) => file.faults).filter((fault) => !allowed(fault))).toEqual([])
  })

  it('states in tsconfig.json the references that package.json depends on', () => {
    for (const workspace of workspaces().filter((name) => name !== 'packages/console')) {
      const read = (file: string): never => JSON.parse(readFileSync(join(root, workspace, file), 'utf8')) as never
      const { dependencies = {} } = read('package.json') as { dependencies?: Record<string, string> }
      const { references = [] } = read('tsconfig.json') as { references?: { path: string }[] }
      const needed = Object.keys(dependencies).filter((name) => name.startsWith('@millrace/')).map((name) => name.slice(10))
      expect(references.map(({ path }) => basename(path)).sort(), workspace).toEqual(needed.sort())
    }
  })

  it('has a README in every package and service', () => {
    for (const workspace of workspaces()) expect(readFileSync(join(root, workspace, 'README.md'), 'utf8').length, workspace).toBeGreaterThan(300)
  })

  it('prints its figures, and stays within the bounds', () => {
    const lines = source.map((file) => file.lines)
    const functions = source.flatMap((file) => file.functionLines)
    const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
    const testLines = sum(files.filter((file) => file.isTest).map((file) => file.lines))
    const anys = sum(source.map((file) => file.anys))
    const figures = {
      files: source.length,
      lines: sum(lines),
      'lines a file (median / p90 / max)': `${percentile(lines, 0.5)} / ${percentile(lines, 0.9)} / ${Math.max(...lines)}`,
      'lines a function (p90)': percentile(functions, 0.9),
      'test lines to source lines': (testLines / sum(lines)).toFixed(2),
      'any per thousand lines': ((anys * 1000) / sum(lines)).toFixed(2),
      ...Object.fromEntries(
        SERVICES.map((service) => {
          const own = source.filter((file) => file.workspace === service)
          return [`${service} (files, lines)`, `${own.length}, ${sum(own.map((file) => file.lines))}`]
        }),
      ),
    }
    process.stdout.write(`${Object.entries(figures).map(([name, value]) => `tidy: ${name}: ${value}`).join('\n')}\n`)
    expect(Math.max(...lines)).toBeLessThanOrEqual(400)
    expect(percentile(functions, 0.9)).toBeLessThanOrEqual(25)
    expect(anys).toBe(0)
  })
})
