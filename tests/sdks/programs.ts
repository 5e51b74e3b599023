import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from '../tidy/source-tree.ts'
import { runInBrowser } from './browser.ts'
import { nameOf, type Runtime, type SdkCase } from './sdk-case.ts'

export interface Target {
  readonly url: string
  readonly writeKey: string
}

const execute = promisify(execFile)

/** Maven tells its faults on the standard output. */
const run = (command: string, args: readonly string[], options: Parameters<typeof execute>[2] = {}): Promise<unknown> =>
  execute(command, args, options).catch((error: Error & { stdout?: string }) => {
    throw new Error(`${error.message}\n${error.stdout?.slice(-PRINTED_LENGTH_MAX) ?? ''}`)
  })
const PRINTED_LENGTH_MAX = 4_000
const PROGRAM_MS_MAX = 180_000
const INSTALL_MS_MAX = 300_000
const folderOf = (sdk: SdkCase): string => join(root, 'node_modules/.cache/millrace/sdks', `${sdk.runtime}-${sdk.sdk}-${sdk.version}`)
const programOf = (sdk: SdkCase, end: string): string => join(root, 'tests/sdks/programs', `${sdk.sdk}.${end}`)

/** Installs the SDK from its registry once, and runs the program that uses it to its end. @throws with what the program printed */
export const runProgram = async (sdk: SdkCase, target: Target): Promise<void> => {
  const folder = folderOf(sdk)
  mkdirSync(folder, { recursive: true })
  const env = { ...process.env, ...sdk.settings, MILLRACE_URL: target.url, WRITE_KEY: target.writeKey, MODE: sdk.mode ?? '' }
  await RUNNERS[sdk.runtime](sdk, folder, env)
}

/** Null, or why programs of this kind cannot run here. */
export const lackOf = async (runtime: Runtime): Promise<string | null> => {
  const [command, ...args] = { node: ['node', '--version'], browser: ['node', '--version'], python: ['python3', '--version'], go: ['go', 'version'], java: ['mvn', '--version'] }[runtime]
  return run(command!, args).then(() => null, () => `there is no ${command} on the PATH`)
}

type Runner = (sdk: SdkCase, folder: string, env: NodeJS.ProcessEnv) => Promise<void>

/** Once: what is there has been installed whole. */
const once = async (folder: string, install: () => Promise<unknown>): Promise<void> => {
  const mark = join(folder, '.installed')
  if (existsSync(mark)) return
  await install()
  writeFileSync(mark, '')
}

const npmInstall = (sdk: SdkCase, folder: string): Promise<void> =>
  once(folder, async () => {
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'sdk', private: true, type: 'module' }))
    await run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...sdk.packages], { cwd: folder, timeout: INSTALL_MS_MAX })
  })

const RUNNERS: Readonly<Record<Runtime, Runner>> = {
  node: async (sdk, folder, env) => {
    await npmInstall(sdk, folder)
    cpSync(programOf(sdk, 'mjs'), join(folder, 'program.mjs'))
    await run(process.execPath, ['program.mjs'], { cwd: folder, env, timeout: PROGRAM_MS_MAX })
  },
  browser: async (sdk, folder, env) => {
    await npmInstall(sdk, folder)
    cpSync(programOf(sdk, 'js'), join(folder, 'program.js'))
    await runInBrowser(folder, nameOf(sdk), { ...sdk.settings, MILLRACE_URL: env['MILLRACE_URL']!, WRITE_KEY: env['WRITE_KEY']!, MODE: sdk.mode ?? '' })
  },
  python: async (sdk, folder, env) => {
    const packages = join(folder, 'packages')
    await once(folder, () => run('python3', ['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check', '--target', packages, ...sdk.packages], { timeout: INSTALL_MS_MAX }))
    await run('python3', [programOf(sdk, 'py')], { cwd: folder, env: { ...env, PYTHONPATH: packages }, timeout: PROGRAM_MS_MAX })
  },
  go: async (sdk, folder, env) => {
    cpSync(programOf(sdk, 'go'), join(folder, 'main.go'))
    await once(folder, () => {
      // Tidying adds what the SDK itself requires, so it is written once.
      writeFileSync(join(folder, 'go.mod'), `module sdk\n\ngo 1.21\n\nrequire (\n${sdk.packages.map((name) => `\t${name}\n`).join('')})\n`)
      return run('go', ['mod', 'tidy'], { cwd: folder, timeout: INSTALL_MS_MAX })
    })
    await run('go', ['run', '.'], { cwd: folder, env, timeout: INSTALL_MS_MAX })
  },
  java: async (sdk, folder, env) => {
    const sources = join(folder, 'src/main/java')
    mkdirSync(sources, { recursive: true })
    cpSync(programOf(sdk, 'java'), join(sources, 'Program.java'))
    writeFileSync(join(folder, 'pom.xml'), pomOf(sdk.packages))
    await once(folder, () => run('mvn', ['-q', '-B', 'compile', 'dependency:build-classpath', '-Dmdep.outputFile=classpath'], { cwd: folder, timeout: INSTALL_MS_MAX }))
    await run('bash', ['-c', 'mvn -q -B -o compile && exec java -cp "target/classes:$(cat classpath)" Program'], { cwd: folder, env, timeout: PROGRAM_MS_MAX })
  },
}

const pomOf = (packages: readonly string[]): string => {
  const dependencies = packages.map((name) => name.split(':')).map(([group, artefact, version]) =>
    `<dependency><groupId>${group}</groupId><artifactId>${artefact}</artifactId><version>${version}</version></dependency>`)
  return '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>sdk</groupId><artifactId>sdk</artifactId><version>1</version>' +
    '<properties><maven.compiler.source>17</maven.compiler.source><maven.compiler.target>17</maven.compiler.target><project.build.sourceEncoding>UTF-8</project.build.sourceEncoding></properties>' +
    `<dependencies>${dependencies.join('')}</dependencies></project>`
}
