// Who owns what, where several replicas share a store: each sink, the janitor, the registrar and the
// audit are tasks with one owner at a time. Types only.

/** One tenure of a task. */
export interface Lease {
  readonly task: string
  /** Fences what the owner writes: the store refuses it once the tenure is over. Null: nobody else. */
  readonly token: string | null
  /** Whether the task may still be acted on; to be asked right before each act. */
  isHeld(): boolean
  /**
   * Aborts when another replica had better do it: what is under way is still ended, nothing new is
   * begun, and the task handed back. Soon after that the tenure is over.
   */
  readonly recalled: AbortSignal
  /** Aborts when the tenure is over, whoever ended it. */
  readonly lost: AbortSignal
  /** Hands the task back. */
  release(): Promise<void>
}

/** What a replica says of itself to the others; plain JSON, without secrets. */
export type ReplicaView = {
  /** The sinks of its settings: the log is kept for them. */
  readonly sinks: readonly string[]
  /** How the sinks fare that it owns. */
  readonly owned: readonly {
    readonly sink: string
    readonly state: string
    readonly detail: string | null
  }[]
  /** What the owner of the registrar shows of each domain. */
  readonly registrations?: readonly unknown[]
  /** What the owner of the audit shows. */
  readonly audits?: readonly unknown[]
}

/** A replica that was seen within the last minute. */
export type Peer = {
  readonly replica: string
  readonly name: string
  readonly version: string
  /** Epoch ms, by the database's clock. */
  readonly startedAt: number
  /** How long ago it was last seen, in ms. */
  readonly seenMs: number
  readonly tasks: readonly string[]
  readonly view: ReplicaView
}

export interface Leases {
  /** Resolves with the lease once this replica owns `task`; with null if `signal` aborts first. */
  hold(task: string, signal: AbortSignal): Promise<Lease | null>
  /** Whether this replica owns `task` now. */
  isOwner(task: string): boolean
  /** All replicas as last seen, this one included; none where the store is not shared. */
  peers(): readonly Peer[]
}
