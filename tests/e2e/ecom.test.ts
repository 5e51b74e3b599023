import { ecom } from './suites/ecom.ts'

ecom()
