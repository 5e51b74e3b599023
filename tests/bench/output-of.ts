import { spawn } from 'node:child_process'

/** What a program of the bench prints. It ends with the bench. @throws when it ends with another code than 0 */
export const outputOf = (script: string, args: readonly string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, UV_THREADPOOL_SIZE: '16' } })
    const killed = (): void => void child.kill()
    process.once('exit', killed)
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => (text += String(chunk)))
    child.once('exit', (code) => {
      process.off('exit', killed)
      if (code === 0) resolve(text)
      else reject(new Error(`${script} ended with code ${code}`))
    })
  })
