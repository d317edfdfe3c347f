// The wall, served as the files it is. The page itself is open and holds nothing; what it shows it
// asks for under /v1. Its policy lets it load nothing but these files and pictures.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { Hono } from 'hono'
import type { Env } from '../env.ts'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
}
const INDEX = 'index.html'

type Asset = { readonly body: Buffer<ArrayBuffer>; readonly type: string; readonly tag: string }

/**
 * `GET /` and `GET /wall/…`, from the files of `folder`. `pictureOrigins` are those that pictures can
 * come from now.
 */
export function createWallFiles(
  folder: URL,
  pictureOrigins: () => Promise<readonly string[]>,
): Hono<Env> {
  const assets = readAssets(folder)
  const app = new Hono<Env>()

  const serve = async (name: string, header: (name: string) => string | undefined) => {
    const asset = assets.get(name)
    if (asset === undefined) return undefined
    const headers: Record<string, string> = {
      'Content-Type': asset.type,
      'Cache-Control': 'no-cache',
      ETag: asset.tag,
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Resource-Policy': 'same-origin',
      'Content-Security-Policy': policy(name === INDEX ? await pictureOrigins() : []),
    }
    if (header('if-none-match') === asset.tag && name !== INDEX) {
      return new Response(null, { status: 304, headers })
    }
    return new Response(asset.body, { headers })
  }

  app.get('/', async (c, next) => (await serve(INDEX, (name) => c.req.header(name))) ?? next())
  app.get('/wall/:path{.+}', async (c, next) => {
    return (await serve(c.req.param('path'), (name) => c.req.header(name))) ?? next()
  })
  return app
}

function policy(pictureOrigins: readonly string[]): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "font-src 'self'",
    "manifest-src 'self'",
    `img-src ${["'self'", ...pictureOrigins].join(' ')}`,
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

/** All files, read once: there are a few dozen kilobytes, and no path of a request reaches the disk. */
function readAssets(folder: URL): ReadonlyMap<string, Asset> {
  const names = listNames(folder)
  return new Map(
    names.flatMap((name) => {
      const type = TYPES[extname(name)]
      if (type === undefined) return []
      const body = readFileSync(new URL(name, folder))
      const tag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
      return [[name, { body, type, tag }] as const]
    }),
  )
}

function listNames(folder: URL): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) => {
      if (!entry.isFile()) return []
      const path = `${entry.parentPath}/${entry.name}`
      return [path.slice(decodeURIComponent(folder.pathname).length).replace(/^\//, '')]
    })
  } catch {
    return []
  }
}
