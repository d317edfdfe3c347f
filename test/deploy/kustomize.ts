// What `kubectl apply -k` would apply, as far as our kustomizations go: resources of resources, settings
// put together, images named. Names of generated settings stay as they are, without a hash.
import { posix } from 'node:path'
import { parse, parseAllDocuments } from 'yaml'
import { envOf, textOf } from './files.ts'

// biome-ignore lint/suspicious/noExplicitAny: what a YAML file holds is checked by the test itself
export type Manifest = any

const KNOWN = ['apiVersion', 'kind', 'resources', 'components', 'configMapGenerator', 'images']

export type Built = {
  readonly manifests: readonly Manifest[]
  /** By the name of the ConfigMap. */
  readonly settings: ReadonlyMap<string, Readonly<Record<string, string>>>
  /** All that was taken. */
  readonly files: readonly string[]
}

/** Builds the kustomization of a folder. */
export function build(folder: string): Built {
  const path = `${folder}/kustomization.yaml`
  const { resources = [], configMapGenerator = [], images = [], ...rest } = parse(textOf(path))
  for (const key of Object.keys(rest)) if (!KNOWN.includes(key)) throw new Error(`${key}: unknown`)
  const manifests: Manifest[] = []
  const settings = new Map<string, Record<string, string>>()
  const files = [path]
  for (const resource of resources) {
    const at = posix.join(folder, resource)
    if (!resource.endsWith('.yaml')) {
      const below = build(at)
      manifests.push(...below.manifests)
      files.push(...below.files)
      for (const [name, values] of below.settings) settings.set(name, { ...values })
      continue
    }
    files.push(at)
    // As Kubernetes reads it: 0440 is octal.
    const documents = parseAllDocuments(textOf(at), { version: '1.1' })
    manifests.push(...documents.map((document) => document.toJS()))
  }
  for (const { name, behavior = 'create', envs } of configMapGenerator) {
    if ((behavior === 'merge') !== settings.has(name)) throw new Error(`${name}: ${behavior}?`)
    for (const each of envs) {
      files.push(`${folder}/${each}`)
      settings.set(name, { ...settings.get(name), ...envOf(textOf(`${folder}/${each}`)).set })
    }
  }
  const named = JSON.parse(JSON.stringify(manifests), (key, value) => {
    const image = key === 'image' ? images.find(({ name }: Manifest) => name === value) : undefined
    return image === undefined ? value : `${image.newName}:${image.newTag}`
  })
  return { manifests: named, settings, files }
}
