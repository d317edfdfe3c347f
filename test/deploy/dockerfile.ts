// Reads a Dockerfile as far as tests ask for it: its instructions, by stage.

export type Instruction = { readonly name: string; readonly value: string }

/** The stages of a Dockerfile; each begins with its FROM. */
export function stagesOf(text: string): Instruction[][] {
  const stages: Instruction[][] = []
  const joined = text.replaceAll(/^#.*\n/gm, '').replaceAll(/\\\n\s*/g, '')
  for (const line of joined.split('\n')) {
    const [, name, value] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? []
    if (name === undefined || value === undefined) continue
    if (name === 'FROM') stages.push([])
    stages.at(-1)?.push({ name, value })
  }
  return stages
}

/** The values of all instructions of one name. */
export function valuesOf(stage: readonly Instruction[], name: string): string[] {
  return stage.filter((each) => each.name === name).map(({ value }) => value)
}

/** The variables that a stage sets. */
export function envIn(stage: readonly Instruction[]): Record<string, string> {
  const pairs = valuesOf(stage, 'ENV').flatMap((value) => [...value.matchAll(/(\w+)=(\S+)/g)])
  return Object.fromEntries(pairs.map(([, name, value]) => [name, value]))
}
