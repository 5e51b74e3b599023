import { startMillrace } from '../support/millrace.ts'
import { ecom } from './suites/ecom.ts'

ecom(() => startMillrace())
