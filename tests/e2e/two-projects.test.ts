import { twoProjects } from './suites/two-projects.ts'

twoProjects()
