import { startMillrace } from '../support/millrace.ts'
import { twoProjects } from './suites/two-projects.ts'

twoProjects(() => startMillrace())
