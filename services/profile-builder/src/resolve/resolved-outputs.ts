import type { KeyLine, Origin, OriginCount, ResolvedLine } from '@millrace/contracts'
import { encodeRecord, partitionOfPerson, topics } from '@millrace/contracts'
import type { NewRecord } from '@millrace/ports'

/** Lines of one record; a longer batch becomes several, so that no record outgrows what a broker takes. */
const RECORD_CHARS_MAX = 256 * 1024

interface Draft {
  readonly project: number
  readonly partition: number
  readonly lines: string[]
  readonly origins: { -readonly [Field in keyof OriginCount]: OriginCount[Field] }[]
  /** Index in `origins` by the record that an event came from. */
  readonly originAt: Map<Origin, number>
  chars: number
}

/** Collects the lines of one batch by (partition, project), in their order, and closes them to records. */
export class ResolvedOutputs {
  private readonly open = new Map<string, Draft>()
  private readonly closed: Draft[] = []
  private readonly partitions: number
  private readonly ownPartition: number

  constructor(partitions: number, inputPartition: number) {
    this.partitions = partitions
    this.ownPartition = inputPartition % partitions
  }

  /** `text` is the sender's own event; it is spliced in, not serialised again. */
  event(project: number, person: string, origin: Origin, head: string, text: string): void {
    const draft = this.draftFor(project, partitionOfPerson(person, this.partitions))
    const at = this.originIn(draft, origin)
    draft.origins[at]!.events++
    this.push(draft, `{"type":"event","origin":${at},${head},"event":${text}}`)
  }

  line(project: number, person: string, line: ResolvedLine | KeyLine): void {
    this.push(this.draftFor(project, partitionOfPerson(person, this.partitions)), JSON.stringify(line))
  }

  toAll(project: number, line: ResolvedLine): void {
    for (let partition = 0; partition < this.partitions; partition++) this.push(this.draftFor(project, partition), JSON.stringify(line))
  }

  /** A repeat has no line, but the ledger counts it: it is told beside its origin. */
  repeat(project: number, origin: Origin): void {
    const holder = [...this.open.values()].find((draft) => draft.project === project && draft.originAt.has(origin))
    const draft = holder ?? this.draftFor(project, this.ownPartition)
    draft.origins[this.originIn(draft, origin)]!.repeats++
  }

  records(): readonly NewRecord[] {
    return [...this.closed, ...this.open.values()].map(({ project, partition, lines, origins }) => {
      const count = origins.reduce((sum, origin) => sum + origin.events, 0)
      const value = encodeRecord({ kind: 'resolved', project, count, origins }, lines)
      return { topic: topics.resolved.name, partition, value }
    })
  }

  private draftFor(project: number, partition: number): Draft {
    const id = `${partition}/${project}`
    const known = this.open.get(id)
    if (known && known.chars < RECORD_CHARS_MAX) return known
    if (known) this.closed.push(known)
    const draft: Draft = { project, partition, lines: [], origins: [], originAt: new Map(), chars: 0 }
    this.open.set(id, draft)
    return draft
  }

  private originIn(draft: Draft, origin: Origin): number {
    const known = draft.originAt.get(origin)
    if (known !== undefined) return known
    const { lines: _, ...bare } = origin
    const at = draft.origins.push({ ...bare, events: 0, repeats: 0 }) - 1
    draft.originAt.set(origin, at)
    return at
  }

  private push(draft: Draft, text: string): void {
    draft.lines.push(text)
    draft.chars += text.length
  }
}
