import { mainJob } from './suites/main-job.ts'

mainJob()
