import { startMillrace } from '../support/millrace.ts'
import { mainJob } from './suites/main-job.ts'

mainJob(() => startMillrace())
