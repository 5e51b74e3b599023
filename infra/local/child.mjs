import { spawn } from 'node:child_process'

/** A command failed; its own output has said why. */
export class CommandFailed extends Error {
  /** @param {number} code exit code to pass on */
  constructor(command, code) {
    super(`${command} ended with code ${code}`)
    this.code = code
  }
}

/** Runs a command to its end, its output on ours. @throws CommandFailed */
export const run = async (command, args, options = {}) => {
  const code = await exitOf(command, args, options)
  if (code !== 0) throw new CommandFailed([command, ...args].join(' '), code)
}

/**
 * The exit code of a command. Signals are passed on and the child is waited for: it has things to write.
 * A child that a signal ended gives 128 + the signal's number, as a shell does.
 */
export const exitOf = (command, args, options = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit', ...options })
    const forward = (signal) => child.kill(signal)
    for (const signal of FORWARDED) process.on(signal, forward)
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      for (const name of FORWARDED) process.off(name, forward)
      resolve(code ?? 128 + (SIGNAL_NUMBERS[signal] ?? 0))
    })
  })

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP']
const SIGNAL_NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15, SIGSEGV: 11, SIGABRT: 6 }
