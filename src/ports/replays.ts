// Delivering again what a sink has had: asked for by a command, carried out by the service, so kept in
// the store. Types only.
import type { ReplaySelection } from '../core/events/replay.ts'

export type ReplayRequest = ReplaySelection & { readonly sink: string }

export type Replay = ReplayRequest & {
  readonly id: number
  /** Epoch ms. */
  readonly requestedAt: number
  /** Events up to this one have been looked at. */
  readonly lookedUpTo: number
  /** The sink's cursor at the time of the request; later events were not delivered yet. */
  readonly lastSeq: number
  readonly delivered: number
  readonly rejected: number
  /** Epoch ms; null while it goes on. */
  readonly endedAt: number | null
  readonly cancelled: boolean
}

export type ReplayProgress = {
  readonly id: number
  /** Events up to this one have been looked at. */
  readonly seq: number
  /** To be added. */
  readonly delivered: number
  /** To be added. */
  readonly rejected: number
  readonly isEnd: boolean
}

export interface ReplayStore {
  /** Asks for a replay of what the sink has had by now. Returns its number. */
  requestReplay(request: ReplayRequest): Promise<number>
  /** The first replay of a sink that has not ended, or null. */
  nextReplay(sink: string): Promise<Replay | null>
  /** The latest replays, the last one first. */
  listReplays(): Promise<readonly Replay[]>
  /** Notes how far a replay got; nothing where it has ended. */
  advanceReplay(progress: ReplayProgress, token?: string | null): Promise<void>
  /** Whether there was one under way with this number. */
  cancelReplay(id: number): Promise<boolean>
}
