// The real service with an audit that looks a few seconds back instead of minutes: `node audit-main.ts`.
import { serveWith } from '../service/service-main.ts'

await serveWith({ audit: { marginMs: 4_000, firstAfterMs: 500 } })
