import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inflateRawSync } from 'node:zlib'

/** A jar on Maven Central that carries servers built for several platforms; nothing is installed and no root is needed. */
const ARTEFACT = 'com.github.codemonstur:embedded-redis:1.4.3'
const JAR_SHA256 = 'ffbc63265c60d25dee453d6f656b527d98200d98657c6a0ab4dec4ea2c3a5cd6'
const BINARIES: Readonly<Record<string, string>> = {
  'linux-x64': 'redis-server-6.2.6-v5-linux-amd64',
  'linux-arm64': 'redis-server-6.2.7-linux-arm64',
  'darwin-x64': 'redis-server-6.2.6-v5-darwin-amd64',
  'darwin-arm64': 'redis-server-6.2.6-v5-darwin-arm64',
}

/** `redis-server` of the PATH, else the one out of the jar, kept in `cacheFolder`. @throws with the reason why there is none */
export const redisServer = (cacheFolder: string): string => {
  if (runs('redis-server')) return 'redis-server'
  const name = BINARIES[`${process.platform}-${process.arch}`]
  if (!name) throw new Error(`no redis-server on the PATH, and none to fetch for ${process.platform} ${process.arch}`)
  const path = join(cacheFolder, name)
  if (!statSync(path, { throwIfNoEntry: false })) fetch(cacheFolder, name)
  if (!runs(path)) throw new Error(`no redis-server on the PATH, and ${name} does not run here`)
  return path
}

const runs = (command: string): boolean => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0

const fetch = (cacheFolder: string, name: string): void => {
  mkdirSync(cacheFolder, { recursive: true })
  const folder = mkdtempSync(join(cacheFolder, 'redis-'))
  try {
    const maven = spawnSync('mvn', ['-q', '-B', 'dependency:copy', `-Dartifact=${ARTEFACT}`, `-DoutputDirectory=${folder}`], { encoding: 'utf8' })
    if (maven.status !== 0) throw new Error(`no redis-server on the PATH, and Maven did not fetch one: ${maven.error?.message ?? maven.stdout + maven.stderr}`)
    const jar = readFileSync(join(folder, 'embedded-redis-1.4.3.jar'))
    const sum = createHash('sha256').update(jar).digest('hex')
    if (sum !== JAR_SHA256) throw new Error(`${ARTEFACT} is not the file that it was: its SHA-256 is ${sum}`)
    const path = join(folder, name)
    writeFileSync(path, unzip(jar, name))
    chmodSync(path, 0o755)
    // Others may fetch at the same time: the last one wins, and all have the same.
    renameSync(path, join(cacheFolder, name))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const END_OF_DIRECTORY = 0x06054b50

/** One file of a zip archive, found through its directory at the end. */
const unzip = (archive: Buffer, name: string): Buffer => {
  let end = archive.length - 22
  while (end >= 0 && archive.readUInt32LE(end) !== END_OF_DIRECTORY) end--
  let at = archive.readUInt32LE(end + 16)
  for (let files = archive.readUInt16LE(end + 10); files > 0; files--) {
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => archive.readUInt16LE(at + field)) as [number, number, number]
    if (archive.toString('utf8', at + 46, at + 46 + nameBytes) === name) {
      const local = archive.readUInt32LE(at + 42)
      const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28)
      const content = archive.subarray(start, start + archive.readUInt32LE(at + 20))
      return archive.readUInt16LE(at + 10) === 0 ? content : inflateRawSync(content)
    }
    at += 46 + nameBytes + extraBytes + commentBytes
  }
  throw new Error(`the archive holds no ${name}`)
}
