import { SingleBar } from 'cli-progress'

/** How far something has come: a bar on a terminal, a line for each tenth elsewhere. */
export interface Progress {
  /** @param done of `total` */
  moved(done: number, events: number): void
  end(): void
}

/** @param unit what `moved` counts */
export const startProgress = (title: string, total: number, stream: NodeJS.WriteStream, unit = 'events'): Progress =>
  stream.isTTY ? bar(title, total, stream, unit) : tenths(title, total, stream, unit)

const bar = (title: string, total: number, stream: NodeJS.WriteStream, unit: string): Progress => {
  const format = `${title} {bar} {percentage} %  {events} ${unit}  {eta_formatted} left`
  const single = new SingleBar({ format, stream, barCompleteChar: '█', barIncompleteChar: '░', barsize: 30, hideCursor: true, etaBuffer: 100 })
  single.start(total, 0, { events: 0 })
  return {
    moved: (done, events) => single.update(done, { events: events.toLocaleString('en') }),
    end: () => single.stop(),
  }
}

const tenths = (title: string, total: number, stream: NodeJS.WriteStream, unit: string): Progress => {
  let told = 0
  return {
    moved: (done, events) => {
      const tenth = Math.floor((10 * done) / Math.max(1, total))
      if (tenth <= told) return
      told = tenth
      stream.write(`${title} ${tenth * 10} %  ${events.toLocaleString('en')} ${unit}\n`)
    },
    end: () => {},
  }
}
