import { ensureKafkaTopics } from '@millrace/adapters'
import { HELP, topicsCommand } from './options.ts'

try {
  const command = topicsCommand(process.argv.slice(2))
  if (command) {
    const { created, checked } = await ensureKafkaTopics(command.brokers, command.settings)
    console.log(created.length > 0 ? `created: ${created.join(', ')}` : 'nothing was missing')
    console.log(`as they must be: ${checked.join(', ')}`)
  } else process.stdout.write(HELP)
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
