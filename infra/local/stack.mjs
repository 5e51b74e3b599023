import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'

const JAVA_MIN = 17

/**
 * One sentence for each thing that the stack of this machine lacks, with how to get it. Asked before anything is
 * installed or started.
 * @param {string} cacheFolder where fetched engines are kept
 * @returns {readonly string[]}
 */
export const stackLacks = (cacheFolder) => {
  const [java, maven] = [javaVersion(), runs('mvn', '-v')]
  const cached = (name) => existsSync(cacheFolder) && readdirSync(cacheFolder).some((entry) => entry.startsWith(name))
  return [
    ...(java >= JAVA_MIN ? [] : [`Kafka needs Java ${JAVA_MIN} or newer, and ${java === 0 ? 'there is no java on the PATH' : `this is Java ${java}`}: install it (Debian and Ubuntu: apt-get install openjdk-17-jre-headless; macOS: brew install openjdk@17).`]),
    ...(maven || cached('kafka-') ? [] : ['Kafka is fetched once by Maven, and there is no mvn on the PATH: install it (Debian and Ubuntu: apt-get install maven; macOS: brew install maven).']),
    ...(maven || runs('redis-server', '--version') || cached('redis-server-') ? [] : ['There is no redis-server on the PATH, and no Maven to fetch one: install either (Debian and Ubuntu: apt-get install redis-server; macOS: brew install redis).']),
  ]
}

const runs = (command, flag) => spawnSync(command, [flag], { stdio: 'ignore' }).status === 0

/** Its major version; 0 where there is none. */
const javaVersion = () => Number(/version "(\d+)/.exec(spawnSync('java', ['-version'], { encoding: 'utf8' }).stderr ?? '')?.[1] ?? 0)
