/** `received = stored + rejected + duplicate + erased + pending` (P3). */
export interface LedgerCounts {
  /** From the headers of what ingest wrote to the log. */
  readonly received: number
  /** By counting rows of the column store. */
  readonly stored: number
  readonly rejected: number
  readonly duplicate: number
  readonly erased: number
  /** By the headers of what lies between a consumer's position and the end of its topic. */
  readonly pending: number
}

/** What was received and is nowhere: 0 when the ledger balances. */
export const ledgerDifference = ({ received, stored, rejected, duplicate, erased, pending }: LedgerCounts): number =>
  received - stored - rejected - duplicate - erased - pending
