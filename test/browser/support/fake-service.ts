// A service as the page sees it: the contract of /v1 with streams whose past can be made up, and a
// bucket that can be slow, refuse or be dead. For what a real service would take minutes to show.
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { json, listen, problem, text } from './answers.ts'
import { type BucketMode, startFakeBucket } from './fake-bucket.ts'
import { createFakeStreams, type FakeEvent } from './fake-streams.ts'

const WALL = new URL('../../../src/wall/', import.meta.url)
const TYPES: Record<string, string> = {
  html: 'text/html',
  css: 'text/css',
  js: 'text/javascript',
  svg: 'image/svg+xml',
}

export type FakeService = Awaited<ReturnType<typeof startFakeService>>

export async function startFakeService() {
  const readers = new Set<ServerResponse>()
  const requests: string[] = []
  let server: Server | undefined
  let port = 0
  const bucket = await startFakeBucket(
    () => it.bucketMode,
    () => it.bucketDelayMs,
  )
  const { streams, add, shoot, recordOf, all, find } = createFakeStreams((event) => {
    if (!it.isSseSilent) for (const reader of readers) reader.write(frameOf(event))
  })
  const it = {
    bucketMode: 'ok' as BucketMode,
    bucketDelayMs: 0,
    /** The problem that the image route answers, if it is not to redirect. */
    imageProblem: undefined as { status: number; title: string; detail: string } | undefined,
    token: undefined as string | undefined,
    isSseSilent: false,
    /** The event stream is not answered. */
    isSseHeld: false,
    registrations: [registration('play.example.com')] as object[],
    sinks: [{ name: 'stdout', state: 'ok', lag: 0, detail: null, deadLetters: 0 }] as object[],
    audits: undefined as object[] | undefined,
    ready: { ready: true, reasons: [] as string[], store: 'ok' },
    storeBytes: 120e6,
    streams,
    pictures: bucket.pictures,
    requests,
    get url() {
      return `http://127.0.0.1:${port}/`
    },
    readers: () => readers.size,
    add,
    shoot,
    /** Answers nothing more, as a process that was killed. */
    async kill() {
      const closing = server
      server = undefined
      closing?.closeAllConnections()
      await new Promise((resolve) => closing?.close(resolve) ?? resolve(undefined))
    },
    async start() {
      server = createServer((request, response) => void serve(request, response))
      port = await listen(server, port)
    },
    release: bucket.release,
    give: bucket.give,
    async stop() {
      for (const response of readers) response.end()
      it.release()
      await it.kill()
      await bucket.stop()
    },
    [Symbol.asyncDispose]: () => it.stop(),
  }
  await it.start()
  return it

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://x')
    requests.push(`${request.method} ${pathname}`)
    if (pathname === '/' || pathname.startsWith('/wall/')) return giveFile(pathname, response)
    if (pathname === '/sign-in') return signIn(request, response)
    if (pathname === '/sign-out') {
      // As the service where a browser does not tell it the site: over plain HTTP.
      if (request.headers.origin !== new URL(it.url).origin)
        return problem(response, { status: 403, title: 'Forbidden', detail: 'another origin' })
      return response.writeHead(303, { Location: './', 'Set-Cookie': 'session=; Max-Age=0' }).end()
    }
    if (pathname === '/readyz')
      return json(response, { ...it.ready, registrations: it.registrations, sinks: it.sinks })
    if (pathname === '/metrics')
      return response.end(
        `snaphook_store_bytes ${it.storeBytes}\nsnaphook_store_max_bytes 1000000000\n`,
      )
    if (it.token !== undefined && !request.headers.cookie?.includes(`session=${it.token}`)) {
      return problem(response, { status: 401, title: 'Unauthorized', detail: 'sign in' })
    }
    if (pathname === '/v1/registrations') return json(response, { registrations: it.registrations })
    if (pathname === '/v1/sinks') return json(response, { sinks: it.sinks })
    if (pathname === '/v1/audit' && it.audits !== undefined)
      return json(response, { audits: it.audits })
    if (pathname === '/v1/streams')
      return json(response, { streams: streams.map(recordOf), next: null })
    if (pathname === '/v1/events/stream') {
      if (!it.isSseHeld) follow(Number(searchParams.get('after')), response)
      return
    }
    const [, id, isImage] = /^\/v1\/events\/([^/]+)(\/image)?$/.exec(pathname) ?? []
    if (id !== undefined) return giveEvent(id, isImage !== undefined, response)
    if (pathname === '/v1/events') return json(response, { events: find(searchParams), next: null })
    return problem(response, { status: 404, title: 'Not found', detail: 'no such route' })
  }

  function giveEvent(id: string, isImage: boolean, response: ServerResponse) {
    const event = all().find((each) => each.id === id)
    if (event === undefined)
      return problem(response, {
        status: 404,
        title: 'No such event',
        detail: 'It is not kept any more.',
      })
    if (!isImage) return json(response, event)
    if (it.imageProblem !== undefined) return problem(response, it.imageProblem)
    response
      .writeHead(302, {
        Location: `${bucket.url}/${encodeURI(String(event.data.object))}`,
        'Cache-Control': 'no-store',
      })
      .end()
  }

  function follow(after: number, response: ServerResponse) {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
    response.write('retry: 2000\n\n')
    for (const event of all()
      .filter(({ data }) => data.seq > after)
      .reverse()) {
      response.write(frameOf(event))
    }
    readers.add(response)
    response.on('close', () => readers.delete(response))
  }

  async function giveFile(pathname: string, response: ServerResponse): Promise<unknown> {
    const name = pathname === '/' ? 'index.html' : pathname.slice('/wall/'.length)
    const body = await readFile(new URL(name, WALL)).catch(() => undefined)
    if (body === undefined) return response.writeHead(404).end()
    const csp = `default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' ${bucket.url}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'`
    return response
      .writeHead(200, {
        'Content-Type': TYPES[name.split('.').at(-1) ?? ''] ?? '',
        'Content-Security-Policy': csp,
        'Referrer-Policy': 'no-referrer',
      })
      .end(body)
  }

  async function signIn(request: IncomingMessage, response: ServerResponse) {
    const body = new URLSearchParams(await text(request))
    if (body.get('token') !== it.token)
      return problem(response, { status: 401, title: 'Unauthorized', detail: 'bad token' })
    response
      .writeHead(204, { 'Set-Cookie': `session=${it.token}; HttpOnly; SameSite=Strict; Path=/` })
      .end()
  }
}

export function registration(domain: string, state = 'in_sync', detail: string | null = null) {
  return {
    domain,
    state,
    detail,
    url: `https://hook.example.com/callbacks/${domain}`,
    lastCallbackAt: null,
  }
}

function frameOf(event: FakeEvent): string {
  return `id: ${event.data.seq}\nevent: snapshot\ndata: ${JSON.stringify(event)}\n\n`
}
