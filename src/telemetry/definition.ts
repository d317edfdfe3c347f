// What a metric is. Each is defined once, in `definitions/`: name, what it means, its labels with all
// values that they may have. The series at zero, the types and docs/metrics.md follow from that.

/** What label values depend on, besides the closed sets of the code. */
export type Installation = {
  readonly domains: readonly string[]
  readonly sinks: readonly string[]
  readonly version: string
}

/** The values that a label may have: never anything from a request. */
export type LabelSet = readonly string[] | ((installation: Installation) => readonly string[])
export type Labels = Readonly<Record<string, LabelSet>>
/** One value for each label. */
export type LabelsOf<L extends Labels> = {
  readonly [Name in keyof L]: L[Name] extends readonly (infer Value)[] ? Value : string
}

export const DOMAINS: LabelSet = ({ domains }) => domains
export const SINKS: LabelSet = ({ sinks }) => sinks

type Common<Kind extends string, L extends Labels> = {
  readonly kind: Kind
  readonly name: `snaphook_${string}`
  /** What it means: for the exposition and for docs/metrics.md. */
  readonly help: string
  readonly labels: L
}

export type Counter<L extends Labels> = Common<'counter', L> & {
  /** Whether these labels go together; absent: all do. */
  readonly exists?: (labels: Readonly<Record<string, string>>) => boolean
}
export type Gauge<L extends Labels> = Common<'gauge', L> & { readonly initial: number }
export type Histogram = Common<'histogram', Record<never, never>> & {
  readonly buckets: readonly number[]
}
/** 1 for the value that holds, 0 for the others; `initial` holds at first. */
export type OneOf<L extends Labels, Of extends string, V extends string> = Common<'one_of', L> & {
  readonly of: Of
  readonly values: readonly V[]
  readonly initial: V
}

// biome-ignore lint/suspicious/noExplicitAny: any labels at all
export type Definition = Counter<any> | Gauge<any> | Histogram | OneOf<any, string, any>

/** Counts what happens; its name ends in `_total`. */
export function counter<const L extends Labels>(
  name: Counter<L>['name'],
  help: string,
  labels: L,
  exists?: Counter<L>['exists'],
): Counter<L> {
  return { kind: 'counter', name, help, labels, ...(exists && { exists }) }
}

/** Shows what is. */
export function gauge<const L extends Labels>(
  name: Gauge<L>['name'],
  help: string,
  labels: L,
  initial = 0,
): Gauge<L> {
  return { kind: 'gauge', name, help, labels, initial }
}

/** Shows how measured values spread. */
export function histogram(
  name: Histogram['name'],
  help: string,
  buckets: readonly number[],
): Histogram {
  return { kind: 'histogram', name, help, labels: {}, buckets }
}

/** Shows which of a closed set of values holds, in the label `of`; the first is `initial`. */
export function oneOf<const L extends Labels, Of extends string, V extends string>(
  name: Gauge<L>['name'],
  help: string,
  labels: L,
  { of, values, initial }: { of: Of; values: readonly V[]; initial: NoInfer<V> },
): OneOf<L, Of, V> {
  return { kind: 'one_of', name, help, labels, of, values, initial }
}

/** The names of a metric's labels, in the order of the exposition. */
export function labelNames(definition: Definition): string[] {
  const names = Object.keys(definition.labels)
  return definition.kind === 'one_of' ? [...names, definition.of] : names
}
