// A network that drops packets without a word, which no proxy can do: the kernel confirms what a
// proxy has not read. Every address of 127/8 is one of this machine; a route swallows what goes to one.
import { execFileSync, spawnSync } from 'node:child_process'

const route = (what: 'add' | 'del', address: string) =>
  ['route', what, 'blackhole', `${address}/32`, 'table', 'local'] as const

/** An address that only this test process uses. */
export function ownAddress(n: number): string {
  return `127.77.${process.pid % 250}.${n + 1}`
}

/** Whether packets can be dropped here: it takes root, and `ip`. If not, says so. */
export function canDropPackets(): boolean {
  const address = ownAddress(250)
  const done = spawnSync('ip', route('add', address)).status === 0
  if (done) execFileSync('ip', route('del', address))
  else console.warn('packets can not be dropped here: a test that needs it is skipped')
  return done
}

/** Drops what goes to an address from now on; returns what ends it. */
export function dropPackets(address: string): () => void {
  execFileSync('ip', route('add', address))
  let isOn = true
  return () => {
    if (isOn) execFileSync('ip', route('del', address))
    isOn = false
  }
}
