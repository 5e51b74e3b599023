import { spawn } from 'node:child_process'

/** Ends the processes that the launcher started, if the launcher is killed. */
export interface Keeper {
  /** A process to end. */
  watch(pid: number): void
  /** It has ended: the system may give its number to somebody else. */
  forget(pid: number): void
  /** The launcher has stopped all by itself. */
  release(): void
}

/**
 * `kill -9` of the launcher leaves it no time, so another process watches: its pipe ends with the launcher. In a session of
 * its own, since Ctrl-C goes to the whole foreground. SIGTERM first: engines close their files.
 */
const SCRIPT = `
pids=' '; while read -r line; do case "$line" in
  end) exit 0 ;;
  -*) pids=$(printf '%s' "$pids" | sed "s/ \${line#-} / /") ;;
  *) pids="$pids$line " ;;
esac; done
kill -TERM $pids; sleep 8; kill -KILL $pids`

export const startKeeper = (): Keeper => {
  const child = spawn('sh', ['-c', SCRIPT], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  // Without a keeper everything works; only a killed launcher would leave processes, which the next start ends.
  child.stdin.on('error', () => {})
  child.unref()
  return {
    watch: (pid) => void child.stdin.write(`${pid}\n`),
    forget: (pid) => void child.stdin.write(`-${pid}\n`),
    release: () => void child.stdin.end('end\n'),
  }
}
