/** A start cannot go on; the message is one clear sentence for the person at the terminal, with what to do. */
export class StartFault extends Error {
  override readonly name = 'StartFault'
}
