// The shapes of the API (docs/api.md) as the page reads them, and the page's own. For the type
// checker only: the browser never gets this file.

// `Wall.View` and so on, without a line of import in what the browser gets.
export as namespace Wall

export type Shot = {
	id: string
	seq: number
	bucket: string | null
	endpoint: string | null
	object: string | null
	capturedAt: string | null
	receivedAt: string
}

export type State = 'live' | 'late' | 'silent' | 'unknown'

export type StreamRecord = {
	domain: string
	app: string | null
	stream: string | null
	latest: Shot
	events: number
	firstSeenAt: string
	intervalSeconds: number | null
	state: 'live' | 'late' | 'silent'
}

/** A stream as the page keeps it: times as epoch ms, by the clock of the service. */
export type Stream = {
	key: string
	domain: string
	app: string | null
	stream: string | null
	latest: Shot
	/** When the latest shot was received. */
	seenAt: number
	/** When it was taken, or received where that is not known. */
	takenAt: number
	intervalSeconds: number | null
}

export type Streams = {
	streams: Map<string, Stream>
	replace(records: StreamRecord[]): void
	apply(event: CloudEvent): string | undefined
	arrange(view: View, now: number): Stream[]
	counts(view: View, now: number, stateNow: (stream: Stream) => State): Record<State | 'all', number>
}

export type CloudEvent = {
	id: string
	time: string
	data: Omit<Shot, 'id'> & {
		domain: string
		app: string | null
		stream: string | null
		origin: string
		flags: string[]
		raw?: string
		rawBase64?: string
	}
}

export type Order = 'name' | 'recent' | 'stalest'
export type Size = 'fit' | 's' | 'm' | 'l' | 'xl'

/** What is looked at, and how. It is the URL, so that it can be bookmarked and shared. */
export type View = {
	q: string
	domain: string
	app: string
	state: '' | 'live' | 'late' | 'silent'
	order: Order
	size: Size
	/** Keys of streams that come first. */
	pins: string[]
	/** False: no tool bar, for screens that nobody sits at. */
	bar: boolean
	/** The key of the stream that is shown alone, and the shot of it, or '' for the newest. */
	stream: string
	shot: string
	/** The part of the details that is shown, or ''. */
	details: string
}

export type Registration = {
	domain: string
	state: string
	detail: string | null
	url: string
	lastCallbackAt: string | null
}

export type Sink = {
	name: string
	state: string
	lag: number
	detail: string | null
	deadLetters: number
}

export type Audit = {
	domain: string
	state: string
	detail: string | null
	auditedUntil: string | null
	missed: number
	filled: number
}

export type Replica = {
	name: string
	version: string
	startedAt: string
	seenSeconds: number
	owns: string[]
}

/** What was last learned of the service; null where it does not answer that. */
export type Facts = {
	perMinute: number | null
	registrations: Registration[] | null
	sinks: Sink[] | null
	audits: Audit[] | null
	replicas: Replica[] | null
	storeFailing: string | null
	storeUsed: number | null
	storeMax: number | null
}

export type Level = 'ok' | 'warn' | 'bad' | 'unknown'
export type Chip = { id: string; level: Level; text: string }

export type Problem = { status: number; title: string; detail: string }

/** How the page stands with the service. */
export type Connection =
	| { kind: 'connecting'; since?: undefined }
	| { kind: 'live'; since?: undefined }
	| { kind: 'lost'; since: number }
	| { kind: 'signed_out'; since?: undefined }
	| { kind: 'forbidden'; detail: string; since?: undefined }

export type Listener = {
	onEvent(event: CloudEvent): void
	onOpen(): void
	onFault(): void
}

export type LiveDeps = {
	streams(signal: AbortSignal): Promise<StreamRecord[]>
	newest(signal: AbortSignal): Promise<number>
	open(after: number, listener: Listener): { close(): void }
	onStreams(list: StreamRecord[]): void
	onEvent(event: CloudEvent): void
	onConnection(connection: Connection): void
	onNewest(seq: number): void
	now(): number
	/** Resolves after `ms`, or as soon as the signal aborts; never rejects. */
	sleep(ms: number, signal: AbortSignal): Promise<unknown>
}

export type PictureDeps<P> = {
	/** Resolves once the picture can be shown, and rejects if there is none. */
	load(key: string, shot: Shot, signal: AbortSignal): Promise<P>
	shown(key: string, picture: P, shot: Shot): void
	failed(key: string, shot: Shot, why: 'slow' | 'refused'): void
	schedule(run: () => void, ms: number): unknown
	cancel(timer: unknown): void
}

export type PictureTile = {
	wanted?: Shot | undefined
	loading?: Shot | undefined
	/** The seq of the shot that is shown; 0 for none. */
	shown: number
	/** The seq of a shot that did not load. */
	failed: number
	abort?: AbortController | undefined
}

export type GridDeps = {
	streams: Streams
	view(): View
	href(key: string): string
	stateOf(stream: Stream): State
	/** Why no bucket gives pictures; without an argument one does. */
	onTrouble(why?: { short: string; long: string }): void
}
