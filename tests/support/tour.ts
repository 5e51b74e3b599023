/** One step of a README's tour: commands to paste, and what must be found in what they print. */
export interface TourStep {
  /** Line of the README where its commands begin. */
  readonly line: number
  readonly commands: string
  readonly shown: readonly string[]
}

const MARK = '<!-- tour -->'
const SHOWN = '#=> '

/** The fenced `sh` blocks behind `<!-- tour -->`, in order. @throws when a mark has no block */
export const tourSteps = (markdown: string): readonly TourStep[] => {
  const lines = markdown.split('\n')
  return lines.flatMap((text, index) => (text.trim() === MARK ? [stepAt(lines, index + 1)] : []))
}

const stepAt = (lines: readonly string[], fence: number): TourStep => {
  const end = lines.indexOf('```', fence + 1)
  if (lines[fence] !== '```sh' || end < 0) throw new Error(`line ${fence}: ${MARK} stands alone, a block of sh must follow it`)
  const block = lines.slice(fence + 1, end)
  return {
    line: fence + 2,
    commands: block.filter((line) => !line.startsWith(SHOWN)).join('\n'),
    shown: block.filter((line) => line.startsWith(SHOWN)).map((line) => line.slice(SHOWN.length)),
  }
}
