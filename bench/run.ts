// `npm run bench`, or `npm run bench -- NAME`: which bench runs.
const BENCHES: Readonly<Record<string, () => Promise<unknown>>> = {
  load: () => import('./load.ts'),
  flood: () => import('./flood.ts'),
  retention: () => import('./retention.ts'),
  domains: () => import('./domains.ts'),
  reading: () => import('./reading/reading.ts'),
  sinks: () => import('./sinks.ts'),
  audit: () => import('./audit/audit.ts'),
  replicas: () => import('./replicas.ts'),
  chaos: () => import('./chaos.ts'),
  wall: () => import('./wall.ts'),
}

const [name = 'load'] = process.argv.slice(2)
const bench = BENCHES[name]
if (bench === undefined) {
  console.error(`no bench ${name}; there are ${Object.keys(BENCHES).join(', ')}`)
  process.exitCode = 64
} else {
  await bench()
}
