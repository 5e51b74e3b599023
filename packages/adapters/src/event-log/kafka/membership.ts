import { createAssigner, decodeAssignment, type Cluster } from './client.ts'
import { errorType } from './faults.ts'
import type { Membership } from './repairs.ts'

/** Partitions by topic, under their names in Kafka. */
export type Assigned = Readonly<Record<string, readonly number[]>>

export interface GroupDeps {
  readonly cluster: Cluster
  readonly group: string
  readonly topics: readonly string[]
  readonly sessionTimeoutMs: number
  /** Said at each join, with the pair under which everything of this stay is committed. */
  assigned(member: Membership, assignment: Assigned): void
  /** This copy can never be a member: wrong rights, wrong settings. */
  ended(error: unknown): void
}

export interface GroupStay {
  /** Leaves the group, so that the others need not wait for the session to time out. */
  stop(): Promise<void>
}

const BACK_OFF_MS = 20
const BACK_OFF_MS_MAX = 1_000
const LEAVE_MS_MAX = 2_000

/** For ever the same answer: to try again would hide it. */
const FATAL = new Set([
  'GROUP_AUTHORIZATION_FAILED', 'TOPIC_AUTHORIZATION_FAILED', 'CLUSTER_AUTHORIZATION_FAILED', 'INVALID_GROUP_ID', 'INCONSISTENT_GROUP_PROTOCOL',
  'INVALID_SESSION_TIMEOUT', 'UNSUPPORTED_VERSION', 'SASL_AUTHENTICATION_FAILED', 'UNSUPPORTED_SASL_MECHANISM', 'GROUP_MAX_SIZE_REACHED',
])
const REJOIN = new Set(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID'])

/** A member of a group: joins, beats, joins again, for as long as it takes; apart from what its partitions do. */
export const stayInGroup = (deps: GroupDeps): GroupStay => {
  const { cluster, group, sessionTimeoutMs } = deps
  const state = { stopped: false, memberId: '', wake: (): void => {} }

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      if (state.stopped) return resolve()
      const timer = setTimeout(resolve, ms)
      state.wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  const join = async (): Promise<Membership> => {
    await cluster.addMultipleTargetTopics(deps.topics)
    const assigner = createAssigner(cluster)
    const coordinator = await cluster.findGroupCoordinator({ groupId: group })
    const { generationId, memberId, leaderId, members } = await coordinator.joinGroup({
      groupId: group,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: sessionTimeoutMs * 1.5,
      memberId: state.memberId,
      groupProtocols: [assigner.protocol({ topics: deps.topics })],
    })
    state.memberId = memberId
    if (leaderId === memberId) await cluster.refreshMetadata()
    const groupAssignment = leaderId === memberId ? await assigner.assign({ members, topics: deps.topics }) : []
    const { memberAssignment } = await coordinator.syncGroup({ groupId: group, generationId, memberId, groupAssignment })
    const member = { memberId, generationId }
    if (!state.stopped) deps.assigned(member, decodeAssignment(memberAssignment))
    return member
  }

  /** Ends by an error that asks for a new join. A lost connection does not, while the session holds. */
  const beat = async ({ memberId, generationId }: Membership): Promise<void> => {
    let heardAt = performance.now()
    while (!state.stopped) {
      await pause(sessionTimeoutMs / 5)
      if (state.stopped) return
      try {
        const coordinator = await cluster.findGroupCoordinator({ groupId: group })
        await coordinator.heartbeat({ groupId: group, memberId, groupGenerationId: generationId })
        heardAt = performance.now()
      } catch (error) {
        const type = errorType(error)
        if (REJOIN.has(type) || FATAL.has(type) || performance.now() - heardAt > sessionTimeoutMs) throw error
        await cluster.refreshMetadata().catch(() => undefined)
      }
    }
  }

  const run = async (): Promise<void> => {
    let backOff = BACK_OFF_MS
    while (!state.stopped) {
      try {
        const member = await join()
        backOff = BACK_OFF_MS
        await beat(member)
      } catch (error) {
        const type = errorType(error)
        if (state.stopped) return
        if (FATAL.has(type) || isMistake(error)) return deps.ended(error)
        if (type === 'UNKNOWN_MEMBER_ID') state.memberId = ''
        if (REJOIN.has(type)) continue
        await cluster.refreshMetadata().catch(() => undefined)
        await pause(backOff)
        backOff = Math.min(backOff * 2, BACK_OFF_MS_MAX)
      }
    }
  }

  const leave = async (): Promise<void> => {
    if (state.memberId === '') return
    const coordinator = await cluster.findGroupCoordinator({ groupId: group })
    await coordinator.leaveGroup({ groupId: group, memberId: state.memberId })
  }

  const done = run()
  return {
    async stop() {
      state.stopped = true
      state.wake()
      // A join may be under way for as long as the rebalance takes; without the broker nobody is left to tell.
      await Promise.race([done.then(leave).catch(() => undefined), new Promise((resolve) => setTimeout(resolve, LEAVE_MS_MAX).unref())])
    },
  }
}

const isMistake = (error: unknown): boolean => ['TypeError', 'ReferenceError', 'RangeError', 'SyntaxError'].includes((error as Error).name)
