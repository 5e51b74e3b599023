import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root } from '../tidy/source-tree.ts'
import { stagesOf, type Stage } from './dockerfile.ts'
import { compose, composeFiles, exists, programOf, text, type ComposeService } from './files.ts'

const PATH = 'infra/docker/Dockerfile'
const stages = stagesOf(PATH)
const stage = (name: string): Stage => stages.find((one) => one.name === name)!
const stepsOf = (name: string, word: string): readonly string[] => stage(name).steps.filter((step) => step.word === word).map(({ rest }) => rest)

describe('the Dockerfile', () => {
  it('has a stage for every target of a compose file, without rights, with a Node that Millrace runs on', () => {
    const { engines } = JSON.parse(text('package.json')) as { engines: { node: string } }
    const [least] = /\d+/.exec(engines.node)!
    for (const { name, from } of stages) {
      if (stages.some((other) => other.name === from)) continue
      expect(from, name).toMatch(new RegExp(`^node:${least}\\.\\d+\\.\\d+-bookworm-slim$`))
    }
    for (const target of composeFiles.flatMap((file) => Object.values(compose(file).services).flatMap(({ build }) => build?.target ?? []))) {
      expect(stepsOf(target, 'USER'), target).toEqual(['node'])
      expect(stepsOf(target, 'CMD'), target).toHaveLength(1)
    }
  })

  it('installs and builds as `npm start` does, and keeps what is only for building out of the image', () => {
    const runs = stepsOf('build', 'RUN')
    expect(runs[0]).toContain("import { install } from './infra/local/install.mjs'")
    expect(runs[1]).toContain("import { build } from './infra/local/build.mjs'")
    expect(runs[2]).toContain('npm prune --omit=dev')
    expect(stepsOf('build-stack', 'RUN').join(' ')).toContain('rm -rf node_modules/chdb node_modules/@chdb')
    for (const path of ['.env', '.git', '**/node_modules', '**/dist', '.millrace']) expect(text('.dockerignore').split('\n')).toContain(path)
  })
})

const long = process.env['MILLRACE_LONG'] === '1'
if (!long) process.stdout.write("SKIPPED the Dockerfile's own commands in empty folders: minutes and 2 GB of disk; MILLRACE_LONG=1 runs them\n")

/** Each stage in a folder of its own, as a builder without layers: COPY copies, RUN runs, WORKDIR is the folder. */
describe.skipIf(!long)("the Dockerfile's own commands", () => {
  let place: string
  beforeAll(() => {
    place = mkdtempSync(join(tmpdir(), 'millrace-dockerfile-'))
  })
  afterAll(() => rmSync(place, { recursive: true }))

  it.each([['stack', true], ['embedded', false]] as const)('make an image of %s whose programs start', (target, lean) => {
    const image = buildStage(place, target)
    expect(existsSync(join(image, 'node_modules/chdb'))).toBe(!lean)
    expect(existsSync(join(image, 'node_modules/vitest'))).toBe(false)
    expect(existsSync(join(image, 'packages/console/dist/index.html'))).toBe(true)
    process.stdout.write(`dockerfile: ${target}: ${Math.round(sizeOf(image) / 1e6)} MB in /millrace\n`)
    for (const [name, container] of Object.entries(compose(lean ? 'docker-compose.yml' : 'docker-compose.embedded.yml').services)) {
      const program = lean ? programOf(container) : 'packages/up/src/main.ts'
      if (program === undefined) continue
      if (exists(program)) expectToTellOneFault(image, program, name, container)
      else process.stdout.write(`SKIPPED the start of ${program}: not there yet\n`)
    }
  })
})

/** One setting that cannot be right, beside those of the container: every module is loaded, nothing is opened, and all faults are told. */
const expectToTellOneFault = (image: string, program: string, name: string, container: ComposeService): void => {
  const wrong = program.startsWith('packages/up/src/main') ? 'MILLRACE_PORT' : 'SET_UP_WAIT_MS_MAX'
  const started = spawnSync(process.execPath, [program.replace('/src/', '/dist/').replace(/\.ts$/, '.js')], {
    cwd: image, encoding: 'utf8', timeout: 60_000, env: { ...filledIn(container), PATH: process.env['PATH'], NODE_ENV: 'production', [wrong]: 'none' },
  })
  expect(started.stderr + started.stdout, name).toContain('These settings are not right')
  expect(started.stderr.split('\n').filter((line) => line.startsWith('  ')), name).toHaveLength(1)
  expect(started.status, name).toBe(1)
}

/** As compose would fill it in: what is left out has its standard, what must be given is given. */
const filledIn = ({ environment = {} }: ComposeService): Record<string, string> =>
  Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, value.replace(/\$\{\w+(?::-([^}]*)|:\?[^}]*)?\}/g, (_, standard?: string) => standard ?? 'given')]))

const buildStage = (place: string, name: string): string => {
  const folder = join(place, name)
  const workdir = join(folder, 'millrace')
  if (existsSync(folder)) return workdir
  const { from, steps } = stage(name)
  mkdirSync(workdir, { recursive: true })
  if (stages.some((other) => other.name === from)) layer(buildStage(place, from), workdir)
  for (const { word, rest } of steps) {
    if (word === 'COPY') copy(place, folder, workdir, rest)
    // Folders of the container's root are folders of the stage; a user of the container is none here.
    if (word === 'RUN') run(workdir, rest.replaceAll(/(?<=\s)\/(manifests|data|spool)\b/g, join(folder, '$1')).replace(/ && chown \S+ \S+/, ''))
  }
  return workdir
}

/** By links where the system has them: a gigabyte and a hundred thousand files, of which a stage takes away or adds some. */
const layer = (from: string, to: string): void => {
  mkdirSync(to, { recursive: true })
  if (spawnSync('cp', ['-al', `${from}/.`, to], { stdio: 'ignore' }).status !== 0) cpSync(from, to, { recursive: true, verbatimSymlinks: true })
}

const copy = (place: string, folder: string, workdir: string, rest: string): void => {
  const [, from, source, target] = /^(?:--from=(\S+) )?(\S+) (\S+)$/.exec(rest)!
  const to = target!.startsWith('/') ? join(folder, target!) : join(workdir, target!)
  if (from !== undefined) {
    buildStage(place, from)
    layer(join(place, from, source!), to)
    return
  }
  // The context, less what .dockerignore names: what git has.
  const files = spawnSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' }).stdout.split('\n')
  for (const file of files) if (file !== '' && existsSync(join(root, file))) cpSync(join(root, file), join(to, file), { recursive: true })
}

const run = (cwd: string, command: string): void => {
  const done = spawnSync('sh', ['-c', command], { cwd, encoding: 'utf8', env: { PATH: process.env['PATH'], HOME: process.env['HOME'] } })
  if (done.status !== 0) throw new Error(`${command}\n${done.stdout.slice(-2000)}${done.stderr.slice(-2000)}`)
}

const sizeOf = (folder: string): number =>
  readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name)
    return sum + (entry.isDirectory() ? sizeOf(path) : entry.isFile() ? statSync(path).size : 0)
  }, 0)

it('reads every line of the Dockerfile', () => {
  const known = new Set(['WORKDIR', 'COPY', 'RUN', 'ENV', 'USER', 'EXPOSE', 'CMD', 'VOLUME', 'STOPSIGNAL'])
  expect(stages.flatMap(({ steps }) => steps.filter(({ word }) => !known.has(word)))).toEqual([])
  expect(readFileSync(join(root, PATH), 'utf8')).not.toMatch(/PASSWORD|SECRET|API_KEY/)
})
