// What no waiting mends ends the opening of a store at once, in one sentence; what passes is waited for.
import { once } from 'node:events'
import { chownSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, onTestFinished, test } from 'vitest'
import type { PostgresLocation } from '../../../../src/core/store-place.ts'
import { describeError, faultCode } from '../../../../src/errors.ts'
import { faultOf, openFault } from '../../../../src/store/postgres/connection/faults.ts'
import { createLink } from '../../../../src/store/postgres/connection/link.ts'
import { createAuthority, hasOpenssl } from '../../../support/network/certificates.ts'
import { type PostgresServer, postgresForFile } from '../../../support/postgres/postgres-server.ts'
import { openShared } from '../../../support/postgres/postgres-store.ts'
import { temporaryFolder } from '../../../support/store/store-fixtures.ts'
import { until } from '../../../support/until.ts'

/** Far below the time for which a store that may come is waited for, and above a slow machine's. */
const AT_ONCE_MS = 5_000
const PASSWORD = 'thePassw0rd'
const server = postgresForFile()

/** The code and the sentence of an open that is refused at once. */
async function refusal(location: PostgresLocation): Promise<string> {
  const start = performance.now()
  const error = await openShared(location).then(
    () => undefined,
    (fault: unknown) => fault,
  )
  expect(performance.now() - start).toBeLessThan(AT_ONCE_MS)
  return `${faultCode(error)}: ${describeError(error)}`
}

/** Says `states` to one connection after the other, then passes on to the server. */
async function refusing(to: PostgresServer, states: readonly string[]) {
  const sockets = new Set<Socket>()
  let connections = 0
  const proxy = createServer((near) => {
    sockets.add(near)
    near.on('error', () => undefined)
    const state = states[connections++]
    if (state === undefined) {
      const far = connect(to.port, '127.0.0.1').on('error', () => near.destroy())
      sockets.add(far)
      near.pipe(far).pipe(near)
      return
    }
    near.once('data', () => {
      const fields = ['SFATAL', 'VFATAL', `C${state}`, `Mnot for you, ${state}`, '']
      const said = Buffer.from(`${fields.join('\0')}\0`)
      const head = Buffer.from('E\0\0\0\0')
      head.writeInt32BE(said.length + 4, 1)
      near.end(Buffer.concat([head, said]))
    })
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  onTestFinished(() => {
    proxy.close()
    for (const socket of sockets) socket.destroy()
  })
  const { port } = proxy.address() as { port: number }
  return { location: to.newLocation({ port }), connections: () => connections }
}

describe('a server that refuses', () => {
  it.each([
    ['28P01', 'refuses the password of this role'],
    ['28000', 'refuses this role'],
    ['3D000', 'does not exist: make the database'],
    ['42501', 'gives this role too few rights'],
  ])('%s: is asked once', async (state, sentence) => {
    const { location, connections } = await refusing(server(), Array(9).fill(state))
    expect(await refusal(location)).toContain(`store_unavailable: The store postgres://`)
    expect(await refusal(location)).toContain(sentence)
    expect(connections()).toBe(2)
  })

  it.each(['57P03', '53300', '57P01', '08006'])(
    '%s: is asked again until it agrees',
    async (state) => {
      const { location, connections } = await refusing(server(), [state, state])
      await openShared(location)
      expect(connections()).toBeGreaterThanOrEqual(3)
    },
  )

  it('is waited for where there was a connection before, whatever it says', async () => {
    const states: string[] = []
    const { location, connections } = await refusing(server(), states)
    const changes: boolean[] = []
    const link = createLink({ location, name: 'refused', onChange: (is) => changes.push(is) })
    onTestFinished(() => link.close())
    await link.run((session) => session.rows('select 1'), 2_000)
    states.length = 1
    states.push(...Array(3).fill('28P01'))
    await server().query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where application_name = 'snaphook refused'`,
    )
    await until('the connection is lost', () => changes.includes(false))
    await link.run((session) => session.rows('select 1'), 5_000)
    expect(connections()).toBe(5)
  })
})

test('a server that can not be reached is named, without a login', async () => {
  const location = server().newLocation({ password: PASSWORD })
  const fault = openFault(new AggregateError([], ''), location)
  expect(fault.message).toBe(
    `The store postgres://127.0.0.1:${location.port}/snaphook?schema=${location.schema} failed: unknown error.`,
  )
  const refused = Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' })
  expect(faultOf(refused, location).message).toMatch(
    /can't be reached \(ECONNREFUSED\): check host/,
  )
})

describe.runIf(hasOpenssl)('logins and certificates', () => {
  const HOST = 'localhost'
  let folder = ''
  const given = (parts: Partial<PostgresLocation>) => server().newLocation({ host: HOST, ...parts })
  const authority = (): ReturnType<typeof createAuthority> => {
    const made = createAuthority()
    onTestFinished(made.remove)
    return made
  }
  /** Has the server show this certificate from now on. */
  async function show({ key, cert }: { key: string; cert: string }): Promise<void> {
    const { uid, gid } = statSync(folder)
    for (const [name, text] of Object.entries({ 'tls.key': key, 'tls.pem': cert })) {
      writeFileSync(join(folder, name), text, { mode: 0o600 })
      chownSync(join(folder, name), uid, gid)
    }
    await server().query(`alter system set ssl = on`)
    await server().query(`alter system set ssl_key_file = 'tls.key'`)
    await server().query(`alter system set ssl_cert_file = 'tls.pem'`)
    await reload()
  }
  async function reload(): Promise<void> {
    const [before] = await server().query('select clock_timestamp() as at')
    await server().query('select pg_reload_conf()')
    await until('the server has its new settings', async () => {
      const [found] = await server().query('select pg_conf_load_time() > $1 as fresh', [before?.at])
      return found?.fresh
    })
  }

  beforeAll(async () => {
    folder = server().folder
    const rules = readFileSync(join(folder, 'pg_hba.conf'), 'utf8')
    const first = 'host all locked all scram-sha-256\nhostnossl all walled all reject\n'
    writeFileSync(join(folder, 'pg_hba.conf'), first + rules)
    await server().query(`create role locked login password '${PASSWORD}'`)
    await server().query('create role walled login')
    await reload()
  })

  it('a wrong password, none, a role that is not let in', async () => {
    const role = { user: 'locked', host: '127.0.0.1' }
    expect(await refusal(given({ ...role, password: 'another' }))).toContain(
      'refuses the password of this role: correct SNAPHOOK_STORE',
    )
    expect(await refusal(given(role))).toContain('asks for another login: correct SNAPHOOK_STORE')
    expect(await refusal(given({ user: 'walled' }))).toContain('with or without TLS')
  })

  it('a server without TLS, where TLS was asked for', async () => {
    for (const sslMode of ['verify-full', 'require'] as const) {
      expect(await refusal(given({ sslMode }))).toContain('has no TLS: switch it on')
    }
  })

  it('certificates that do not fit, and one that does', async () => {
    const made = authority()
    const trusted = { sslMode: 'verify-full', sslRootCert: made.files.ca } as const
    await show(made.issue(HOST))
    await openShared(given(trusted))
    await openShared(given({ sslMode: 'require' }))
    expect(await refusal(given({ ...trusted, host: '127.0.0.1' }))).toContain('does not fit')
    expect(await refusal(given({ sslMode: 'verify-full' }))).toContain('correct sslrootcert')
    await show(made.issue('elsewhere.example.com'))
    expect(await refusal(given(trusted))).toContain('a certificate that does not fit')
  })

  it('files of certificates that are missing, or something else', async () => {
    const sslRootCert = join(temporaryFolder(), 'ca.pem')
    const missing = given({ sslMode: 'verify-full', sslRootCert })
    expect(await refusal(missing)).toMatch(
      /sslrootcert that can't be used \(.*ca.pem: can't be read\): correct/,
    )
    writeFileSync(sslRootCert, 'not a certificate')
    expect(await refusal(missing)).toContain('no certificate in PEM form is in it')
    writeFileSync(sslRootCert, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')
    expect(await refusal(missing)).toContain('no certificate in PEM form is in it')
  })
})

test('a server that speaks no TLS after all', async () => {
  const listener = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => {
      socket.write('S')
      socket.once('data', () => socket.write('what do you mean'))
    })
  }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  onTestFinished(() => void listener.close())
  const { port } = listener.address() as { port: number }
  const location = server().newLocation({ port, sslMode: 'require' })
  expect(await refusal(location)).toMatch(/can't agree with us on TLS \(\w+\)/)
})

test('a server whose settings lose what it has answered', async () => {
  await server().query(`alter system set full_page_writes = off`)
  await server().query('select pg_reload_conf()')
  onTestFinished(async () => {
    await server().query(`alter system reset full_page_writes`)
    await server().query('select pg_reload_conf()')
  })
  await until('the setting is in force', async () => {
    const [found] = await server().query('show full_page_writes')
    return found?.full_page_writes === 'off'
  })
  expect(await refusal(server().newLocation())).toContain('with fsync or full_page_writes off')
})
