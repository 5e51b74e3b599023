import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Pinned: the repairs of the client are held by tests against this broker. */
const KAFKA_VERSION = '4.1.0'

const SUMS = new URL(`jars-${KAFKA_VERSION}.sha256`, import.meta.url)

/** Why no Kafka can be started here, or null. */
export const kafkaMissing = () => {
  const lacks = [
    ['java', '-version'],
    ['mvn', '-v'],
  ].filter(([command, flag]) => spawnSync(command, [flag], { stdio: 'ignore' }).status !== 0)
  return lacks.length === 0 ? null : `not found: ${lacks.map(([command]) => command).join(', ')}`
}

/** The folder of the jars. Fetched from Maven Central once, checked against the list beside this file, then moved into place. */
export const kafkaJars = async (cacheFolder) => {
  const folder = join(cacheFolder, `kafka-${KAFKA_VERSION}`)
  const libs = join(folder, 'libs')
  if (await stat(libs).catch(() => null)) {
    await checkJars(libs)
    return libs
  }
  await mkdir(cacheFolder, { recursive: true })
  // Two starts may fetch at once: each has a folder of its own, and the first one that is whole stays.
  const making = `${folder}.${process.pid}`
  await rm(making, { recursive: true, force: true })
  await mkdir(making)
  await writeFile(join(making, 'pom.xml'), POM)
  const maven = spawnSync('mvn', ['-q', '-B', '-f', join(making, 'pom.xml'), 'dependency:copy-dependencies', `-DoutputDirectory=${join(making, 'libs')}`], { encoding: 'utf8' })
  if (maven.status !== 0) throw new Error(`Maven could not fetch Kafka ${KAFKA_VERSION}: ${maven.stdout}${maven.stderr}`)
  await checkJars(join(making, 'libs'))
  await rename(making, folder).catch(async (error) => {
    if (!(await stat(libs).catch(() => null))) throw error
    await rm(making, { recursive: true, force: true })
  })
  return libs
}

const checkJars = async (libs) => {
  const wanted = new Map((await readFile(SUMS, 'utf8')).trim().split('\n').map((line) => line.split('  ').reverse()))
  const found = (await readdir(libs)).filter((name) => name.endsWith('.jar'))
  const strange = found.filter((name) => !wanted.has(name))
  const lacking = [...wanted.keys()].filter((name) => !found.includes(name))
  const changed = []
  for (const name of found) if (wanted.has(name) && sha256(await readFile(join(libs, name))) !== wanted.get(name)) changed.push(name)
  const faults = [
    ...lacking.map((name) => `${name} is missing`),
    ...strange.map((name) => `${name} does not belong there`),
    ...changed.map((name) => `${name} has another checksum`),
  ]
  if (faults.length > 0) throw new Error(`The jars of Kafka ${KAFKA_VERSION} in ${libs} are not those that were pinned: ${faults.join('; ')}. Remove the folder to fetch them again.`)
}

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion><groupId>millrace</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies><dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${KAFKA_VERSION}</version></dependency></dependencies>
</project>
`
