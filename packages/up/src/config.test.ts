import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readUpConfig, settings, upHelp } from './config.ts'

const read = (args: string[], env: Record<string, string> = {}) => readUpConfig(args, env, '/data')

describe('the settings of a start', () => {
  it('have the documented defaults', () => {
    expect(read([])).toEqual({ port: 8080, clickhousePort: 8123, host: '127.0.0.1', names: [], trustedProxies: [], dataDir: '/data', logLevel: 'info', sync: 'disk', newApiKey: false, demo: false, demoPeople: 2000 })
  })

  it('are read from flags and variables alike, flags first', () => {
    expect(read(['--port', '1', '--zone=Asia/Shanghai', '--demo'], { MILLRACE_PORT: '2', MILLRACE_CLICKHOUSE_PORT: '3' })).toMatchObject({
      port: 1,
      clickhousePort: 3,
      zone: 'Asia/Shanghai',
      demo: true,
    })
  })

  it('tell every fault at once', () => {
    const faults = (() => {
      try {
        read(['--prot', '1', '--zone', 'Mars/Olympus', '--host'], { MILLRACE_PORT: '99999', MILLRACE_API_KEY: 'short' })
      } catch (error) {
        return (error as Error).message
      }
      return ''
    })()
    for (const part of ['--prot: there is no such option', '--zone Mars/Olympus', '--host: needs a value', 'MILLRACE_PORT 99999', 'MILLRACE_API_KEY: must be']) {
      expect(faults).toContain(part)
    }
    expect(faults).not.toContain('short')
  })

  it('are all in the help and in the README', () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
    for (const { flag, env } of settings) {
      expect(upHelp()).toContain(`--${flag}`)
      expect(readme).toContain(`\`--${flag}\``)
      expect(readme).toContain(`\`${env}\``)
    }
  })
})
