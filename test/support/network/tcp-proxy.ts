// Stands between a client and a server, and can do what networks do: cut, stall, swallow, hold back.
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

export type TcpProxy = {
  readonly port: number
  /** Ends all connections with a reset. */
  cut(): void
  /** Passes nothing on, either way, and says nothing of it; `false`: passes on what comes from then on. */
  swallow(isOn: boolean): void
  /** Takes no new connections: as a server that is gone. */
  refuse(isOn: boolean): void
  /**
   * Called with each piece that a client sends; returns what is passed on now and what is held back
   * until `release`.
   */
  hold(split: ((piece: Buffer) => readonly [now: Buffer, held: Buffer]) | null): void
  release(): void
  /** How long each piece that a client sends is on its way, in ms; what follows waits behind it. */
  delay(delayOf: (piece: Buffer) => number): void
  /** Leads new connections to another server, as a host name does after a failover. */
  lead(target: { host: string; port: number }): void
  close(): Promise<void>
}

/** `localAddress`: where it connects from; every address of 127/8 is one of this machine. */
export async function startTcpProxy(first: {
  host: string
  port: number
  localAddress?: string
}): Promise<TcpProxy> {
  let target = first
  const pairs = new Set<readonly [Socket, Socket]>()
  let swallows = false
  let refuses = false
  let split: Parameters<TcpProxy['hold']>[0] = null
  let delayOf: Parameters<TcpProxy['delay']>[0] | null = null
  let held: { to: Socket; piece: Buffer }[] = []
  const server = createServer((near) => {
    if (refuses) return void near.destroy()
    const far = connect(target)
    const pair = [near, far] as const
    pairs.add(pair)
    for (const each of pair) {
      each.setNoDelay(true)
      each.on('error', () => undefined)
    }
    let line: Promise<unknown> = Promise.resolve()
    near.on('data', (piece) => {
      if (swallows) return
      if (delayOf !== null) {
        const ms = delayOf(piece)
        line = line.then(() => pause(ms)).then(() => far.write(piece))
        return
      }
      const [now, later] = split?.(piece) ?? [piece, Buffer.alloc(0)]
      if (now.length > 0) far.write(now)
      if (later.length > 0) held.push({ to: far, piece: later })
    })
    far.on('data', (piece) => {
      if (!swallows) near.write(piece)
    })
    near.on('close', () => {
      pairs.delete(pair)
      // What was on its way still arrives.
      if (!swallows) void line.then(() => far.destroy())
    })
    far.on('close', () => {
      if (!swallows) near.destroy()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('no port')

  return {
    port: address.port,
    cut() {
      for (const [near, far] of pairs) {
        near.resetAndDestroy()
        far.destroy()
      }
    },
    swallow(isOn) {
      swallows = isOn
    },
    refuse(isOn) {
      refuses = isOn
    },
    hold(next) {
      split = next
    },
    release() {
      for (const { to, piece } of held) to.write(piece)
      held = []
    },
    delay(next) {
      delayOf = next
    },
    lead(next) {
      target = next
    },
    async close() {
      for (const pair of pairs) for (const each of pair) each.destroy()
      server.close()
    },
  }
}
