import { startProgress, type Progress } from '../door/progress.ts'
import { importFile, type ImportResult } from './import-file.ts'
import { IMPORT_HELP, importOptions, type ImportOptions } from './options.ts'

const main = async (): Promise<number> => {
  const options = importOptions(process.argv.slice(2), process.env)
  if (!options) {
    process.stdout.write(IMPORT_HELP)
    return 0
  }
  const startedAt = performance.now()
  let progress: Progress | null = null
  const result = await importFile(options, {
    started: (file) => {
      progress = startProgress('Importing', file.bytes, process.stderr)
    },
    moved: (bytes, sent) => progress?.moved(bytes, sent),
  })
  ;(progress as Progress | null)?.end()
  report(options, result, (performance.now() - startedAt) / 1000)
  return result.fault === null ? 0 : 1
}

const report = (options: ImportOptions, result: ImportResult, seconds: number): void => {
  const rate = Math.round(result.sent / Math.max(seconds, 0.001)).toLocaleString('en')
  console.log(`Sent ${result.sent.toLocaleString('en')} events to ${options.url} in ${seconds.toFixed(1)} s (${rate}/s); ${result.refused.toLocaleString('en')} lines refused.`)
  for (const { line, code, detail } of result.examples) console.log(`  line ${line}: ${code}, ${detail}`)
  if (result.refused > result.examples.length) console.log(`  … and ${result.refused - result.examples.length} more`)
  if (result.refused > 0) console.log(`All refused lines with their reasons: ${options.refusedFile}`)
  if (result.fault !== null) console.error(`Not everything could be sent: ${result.fault}`)
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
