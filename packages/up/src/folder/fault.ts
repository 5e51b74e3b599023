import { StartFault } from '@millrace/service-kit'

export { StartFault }

/** The sentence for a fault of the file system, or null when it is another kind of fault. */
export const fileFault = (folder: string, error: unknown): StartFault | null => {
  const reason = REASONS[(error as NodeJS.ErrnoException).code ?? '']
  return reason ? new StartFault(`The data folder ${folder} cannot be used: ${reason}.`) : null
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there; give it the rights or choose another with --data-dir',
  EPERM: 'this user may not write there; give it the rights or choose another with --data-dir',
  EROFS: 'the file system is read-only; choose another with --data-dir',
  ENOSPC: 'the disk is full; make room or choose another with --data-dir',
  ENOTDIR: 'a part of its path is a file; choose another with --data-dir',
  EEXIST: 'it is a file, not a folder; choose another with --data-dir',
  ENOENT: 'it cannot be made there; choose another with --data-dir',
  EIO: 'the disk reports an error',
}
