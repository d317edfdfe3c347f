// Makes of definitions what counts and measures, on a registry. Every series exists from the start.
import * as prom from 'prom-client'
import {
  type Counter,
  type Definition,
  type Gauge,
  type Histogram,
  type Installation,
  type Labels,
  type LabelsOf,
  labelNames,
  type OneOf,
} from './definition.ts'

export type Instrument<D> =
  D extends Counter<infer L>
    ? { add(labels: LabelsOf<L>, amount?: number): void }
    : D extends Gauge<infer L>
      ? { set(labels: LabelsOf<L>, value: number): void }
      : D extends OneOf<infer L, string, infer V>
        ? { set(labels: LabelsOf<L>, value: V): void }
        : D extends Histogram
          ? { observe(value: number): void }
          : never

type Series = Readonly<Record<string, string>>
type Registers = { registers: prom.Registry[] }

/** An instrument for each definition, under the same key. */
export function createInstruments<T extends Readonly<Record<string, Definition>>>(
  definitions: T,
  installation: Installation,
  register: prom.Registry,
) {
  const made = Object.entries(definitions).map(([key, definition]) => [
    key,
    createInstrument(definition, installation, { registers: [register] }),
  ])
  return Object.fromEntries(made) as { readonly [Key in keyof T]: Instrument<T[Key]> }
}

function createInstrument(definition: Definition, installation: Installation, to: Registers) {
  const { name, help } = definition
  const options = { name, help, labelNames: labelNames(definition), ...to }
  const all = seriesOf(definition.labels, installation)
  switch (definition.kind) {
    case 'counter': {
      const { exists = () => true } = definition
      const metric = new prom.Counter(options)
      for (const series of all.filter(exists)) metric.inc(series, 0)
      return { add: (labels: Series, amount = 1) => metric.inc(labels, amount) }
    }
    case 'gauge': {
      const metric = new prom.Gauge(options)
      for (const series of all) metric.set(series, definition.initial)
      return { set: (labels: Series, value: number) => metric.set(labels, value) }
    }
    case 'histogram': {
      const metric = new prom.Histogram({ ...options, buckets: [...definition.buckets] })
      return { observe: (value: number) => metric.observe(value) }
    }
    case 'one_of': {
      const metric = new prom.Gauge(options)
      const set = (labels: Series, value: string) => {
        for (const each of definition.values) {
          metric.set({ ...labels, [definition.of]: each }, each === value ? 1 : 0)
        }
      }
      for (const series of all) set(series, definition.initial)
      return { set }
    }
  }
}

/** Every combination of the values of the labels. */
function seriesOf(labels: Labels, installation: Installation): Series[] {
  return Object.entries(labels).reduce<Series[]>(
    (all, [name, set]) => {
      const values = typeof set === 'function' ? set(installation) : set
      return all.flatMap((series) => values.map((value) => ({ ...series, [name]: value })))
    },
    [{}],
  )
}
