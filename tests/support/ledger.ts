import type { LedgerCounts } from '@millrace/contracts'
import { eventually, type Millrace } from './millrace.ts'

interface Ledger {
  readonly balanced: boolean
  readonly total: LedgerCounts
}

/** The ledger once `received` have come and nothing is pending. @throws when it does not balance then */
export const settledLedger = async (millrace: Pick<Millrace, 'api'>, received: number, timeoutMs = 30_000): Promise<LedgerCounts> => {
  const ledger = await eventually(
    () => millrace.api<Ledger>('/api/ledger'),
    ({ total }) => total.received >= received && total.pending === 0,
    timeoutMs,
  )
  if (!ledger.balanced) throw new Error(`the ledger does not balance: ${JSON.stringify(ledger)}`)
  return ledger.total
}
