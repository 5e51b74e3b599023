import type { Extent } from '@millrace/ports'

/** Records were deleted before a group read them, or a partition is shorter than what was read of it. Never passed over in silence. */
export class PositionLost extends Error {
  override readonly name = 'PositionLost'
  readonly code = 'POSITION_LOST'
  constructor(group: string, topic: string, wanted: number, { partition, first, next }: Extent) {
    super(
      wanted < first
        ? `${group} would read ${topic}/${partition} from ${wanted}, but the log begins at ${first}: ${first - wanted} offsets were deleted before they were read`
        : `${group} would read ${topic}/${partition} from ${wanted}, but the log ends at ${next}: it was cut or made anew`,
    )
  }
}
