import { DataDirHeld, openLmdb } from '@millrace/adapters'

/** Opens the folder, says so, and holds it until it is killed; says `held` and ends when another has it. */
process.on('disconnect', () => process.exit(1))
try {
  await openLmdb(process.argv[2]!)
  process.stdout.write('open\n')
  setInterval(() => {}, 1_000)
} catch (error) {
  process.stdout.write(error instanceof DataDirHeld ? `held ${error.code}\n` : `failed ${String(error)}\n`)
  process.disconnect()
}
