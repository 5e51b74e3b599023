import { openTurnedFile, sentenceOf } from '../messages.ts'

export interface LogView {
  line(name: string, line: string): void
}

/** They print a page at each start; what is wrong with them is also what services say. */
const ENGINES: ReadonlySet<string> = new Set(['kafka', 'redis'])

const NAME_WIDTH = 17

/** What all processes say, in one place: each line behind its process's name, all of it in the file, what a
 * person has to know on the terminal. */
export const openLogView = (path: string, terminal: (line: string) => void): LogView => {
  const file = openTurnedFile(path)
  return {
    line: (name, line) => {
      file.write(`${name.padEnd(NAME_WIDTH)} ${line}\n`)
      if (!isQuiet(name, line)) terminal(`${name.padEnd(NAME_WIDTH)} ${readable(line)}`)
    },
  }
}

/** On the terminal: warnings and worse, as with `npm start`, and what is no line of a logger, such as a crash. */
const isQuiet = (name: string, line: string): boolean => ENGINES.has(name) || /^\{"level":"(info|debug|trace)"/.test(line)

/** Services print JSON, engines print what they like. */
const readable = (line: string): string => {
  if (!line.startsWith('{"level"')) return line
  try {
    return sentenceOf(line)
  } catch {
    return line
  }
}
