// Reads the text format of Prometheus, as far as tests ask for it.

export type Exposition = {
  /** The value of one series; undefined when there is none with exactly these labels. */
  value(name: string, labels?: Readonly<Record<string, string>>): number | undefined
  readonly text: string
}

export function readExposition(text: string): Exposition {
  const series = new Map<string, number>()
  for (const line of text.split('\n')) {
    const [, name, labels = '', value] = /^([a-z_:]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
    if (name === undefined) continue
    const pairs = [...labels.matchAll(/([a-z_]+)="([^"]*)"/g)].map(([pair]) => pair)
    series.set(seriesName(name, pairs), Number(value))
  }
  return {
    value(name, labels = {}) {
      const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
      return series.get(seriesName(name, pairs))
    },
    text,
  }
}

function seriesName(name: string, pairs: readonly string[]): string {
  return `${name}{${pairs.toSorted().join()}}`
}
