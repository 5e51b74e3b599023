import { fork, type ChildProcess } from 'node:child_process'

/** A process of a crash test, its lines as they come, and how it ended. */
export interface Child {
  readonly process: ChildProcess
  readonly lines: readonly string[]
  /** Resolves when a line starts with the text, or the process has ended. */
  saw(start: string): Promise<void>
  readonly ended: Promise<{ readonly signal: NodeJS.Signals | null; readonly code: number | null }>
}

/** Starts a built script in a process of its own. Its errors go to this process's. */
export const startChild = (script: string, args: readonly string[]): Child => {
  const child = fork(script, args, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'], execArgv: [] })
  const lines: string[] = []
  const waiting = new Set<() => void>()
  let rest = ''
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n')
    // A line that was cut by the kill was not told.
    rest = parts.pop()!
    lines.push(...parts)
    for (const told of waiting) told()
  })
  const ended = new Promise<{ signal: NodeJS.Signals | null; code: number | null }>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal }))
  })
  const saw = (start: string): Promise<void> =>
    new Promise((resolve) => {
      const told = (): void => {
        if (!lines.some((line) => line.startsWith(start))) return
        waiting.delete(told)
        resolve()
      }
      waiting.add(told)
      told()
      void ended.then(() => resolve())
    })
  return { process: child, lines, saw, ended }
}
