// Compares the Dockerfile with the code: what it sets, exposes, runs, copies, and how healthy it is.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { describe, expect, test } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { configFrom, ENVIRONMENT, opsApp, REQUIRED } from './code.ts'
import { stagesOf, valuesOf } from './dockerfile.ts'
import { filesBelow, textOf } from './files.ts'
import { CALLBACK_PORT, DATA, imageEnv, OPS_PORT, USER } from './promises.ts'

const dockerfile = stagesOf(textOf('Dockerfile'))
const image = dockerfile.at(-1) ?? []
const [healthcheck = ''] = valuesOf(image, 'HEALTHCHECK')

describe('Dockerfile', () => {
  test('every stage is based on the Node.js that the package asks for', () => {
    const [major] = /\d+/.exec(packageJson.engines.node) ?? []
    const bases = dockerfile.map((stage) => valuesOf(stage, 'FROM')[0]?.split(' ')[0])
    expect(bases).toEqual([`node:${major}-bookworm-slim`, `node:${major}-bookworm-slim`])
  })

  test('what it sets are settings, and good ones', () => {
    const { NODE_ENV, ...settings } = imageEnv
    expect(NODE_ENV).toBe('production')
    expect(Object.keys(settings).filter((name) => !ENVIRONMENT.includes(name))).toEqual([])
    const config = configFrom({ ...REQUIRED, ...settings })
    expect(config.opsListen).toEqual({ host: '0.0.0.0', port: OPS_PORT })
    expect(config.store).toEqual({ kind: 'sqlite', path: `${DATA}/snaphook.db` })
  })

  test('exposes both listeners', () => {
    expect(valuesOf(image, 'EXPOSE')).toEqual([`${CALLBACK_PORT} ${OPS_PORT}`])
  })

  test('runs the same as npm start', () => {
    const [entrypoint = ''] = valuesOf(image, 'ENTRYPOINT')
    const start = packageJson.scripts.start.replace('src/', '/app/src/')
    expect(JSON.parse(entrypoint)).toEqual(start.split(' '))
    expect(valuesOf(image, 'CMD')).toEqual([])
  })

  test('runs as the user who owns the one volume', () => {
    expect(valuesOf(image, 'USER')).toEqual([`${USER}:${USER}`])
    expect(valuesOf(image, 'VOLUME')).toEqual([DATA])
    expect(valuesOf(image, 'RUN').join()).toContain(
      `install -d -o ${USER} -g ${USER} -m 0700 ${DATA}`,
    )
  })

  test('takes nothing but production dependencies, and src needs no others', () => {
    expect(valuesOf(dockerfile[0] ?? [], 'RUN')).toContain('npm ci --omit=dev --no-audit --no-fund')
    const imports = filesBelow('src')
      .filter((path) => path.endsWith('.ts'))
      .flatMap((path) => [
        ...textOf(path).matchAll(/(?:from|import) '((?:@[^/']+\/)?[^./'][^/']*)/g),
      ])
      .map(([, name = '']) => name)
      .filter((name) => !name.startsWith('node:'))
    expect([...new Set(imports)].sort()).toEqual(Object.keys(packageJson.dependencies).sort())
  })

  test('copies only what .dockerignore lets through', () => {
    const allowed = [...textOf('.dockerignore').matchAll(/^!(.*)$/gm)].map(([, path]) => path)
    expect(textOf('.dockerignore')).toMatch(/^\*$/m)
    const copied = dockerfile
      .flatMap((stage) => valuesOf(stage, 'COPY'))
      .filter((value) => !value.startsWith('--from='))
      .flatMap((value) => value.split(' ').slice(0, -1))
    expect(copied.sort()).toEqual(allowed.sort())
  })

  test.each([
    ['200', 200, 0],
    ['503', 503, 1],
  ])('its health check takes %s for what it is', async (_, status, code) => {
    const app = opsApp()
    const server = createServer(
      getRequestListener(async (request) => {
        const answer = await app.fetch(request)
        return answer.status === 200 ? new Response(null, { status }) : answer
      }),
    )
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    expect(await checkHealth(`0.0.0.0:${port}`)).toBe(code)
    server.close()
    server.closeAllConnections()
  })

  test('its health check fails where nothing answers', async () => {
    expect(await checkHealth('0.0.0.0:1')).toBe(1)
  })

  async function checkHealth(opsListen: string): Promise<number> {
    const [, command = ''] = /CMD (\[.*\])$/.exec(healthcheck) ?? []
    const [program, ...args] = JSON.parse(command) as string[]
    expect(program).toBe('node')
    const child = spawn(process.execPath, args, { env: { SNAPHOOK_OPS_LISTEN: opsListen } })
    const [code] = await once(child, 'exit')
    return code
  }
})
