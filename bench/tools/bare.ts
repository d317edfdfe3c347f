// The servers that snaphook is measured against: read the body, answer 200, nothing else.
import { createServer } from 'node:http'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'

const [kind] = process.argv.slice(2)
const announce = (port: number): void => console.log(JSON.stringify({ port }))

if (kind === 'hono') {
  const app = new Hono()
  app.post('*', async (c) => {
    await c.req.arrayBuffer()
    return c.json({ Code: 0, Msg: 'Success' })
  })
  serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => announce(port))
} else {
  const server = createServer((request, response) => {
    request.on('data', () => undefined)
    request.on('end', () => {
      response.writeHead(200, { 'Content-Type': 'application/json' })
      response.end('{"Code":0,"Msg":"Success"}')
    })
  })
  server.listen({ host: '127.0.0.1', port: 0 }, () => {
    announce((server.address() as { port: number }).port)
  })
}
