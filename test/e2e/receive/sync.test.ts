// That the disk is synced before the 200 leaves, as the kernel sees it. kill -9 cannot show this: it
// does not lose the page cache.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { sendCallback, snapshotBody } from '../../support/service/signed-callback.ts'
import { keyOf, setStage, settled } from '../../support/service/stage.ts'

const CALLBACKS = 5
const CALLS = 'fsync,fdatasync,pwrite64,write,writev,sendto,sendmsg'
/** A page of the log is printed whole, so that the body of a callback is seen in it. */
const SHOWN_BYTES = '4200'
const WAL = String.raw`\(\d+<[^>]*snaphook\.db-wal>`
const WRITTEN = new RegExp(`pwrite64${WAL}`)
const ANSWERED = /(?:write|writev|sendto|sendmsg)\(\d+<socket:[^>]*>, .*HTTP\/1\.1 200 .*"Code/s
/** strace prints a call whole, or in two halves when another thread is between. */
const SYNC_BEGUN = new RegExp(`^(\\d+) .*f(?:data)?sync${WAL}`)
const SYNC_RESUMED = /^(\d+) .*f(?:data)?sync resumed>.*= 0$/

const canTrace = spawnSync('strace', ['-f', '-e', 'trace=fsync', 'true']).status === 0

describe.runIf(canTrace)('under strace', () => {
  test('every 200 comes after a sync of the event that it stands for', async () => {
    await using stage = await setStage()
    const trace = `${stage.folder}/trace`
    const options = ['-f', '-y', '-s', SHOWN_BYTES, '-e', `trace=${CALLS}`, '-o', trace]
    const service = await stage.serve({}, ['strace', ...options])
    await settled(service)
    const objects = Array.from({ length: CALLBACKS }, (_, n) => `traced-callback-${n}.jpg`)
    for (const OssObject of objects) {
      const sent = { key: keyOf(0), body: snapshotBody({ OssObject }) }
      expect(await sendCallback(stage.callbackUrl(), sent)).toMatchObject({ status: 200 })
    }
    service.kill('SIGTERM')
    await service.ended

    const lines = readFileSync(trace, 'utf8').split('\n')
    const syncs = syncsOf(lines)
    const answers = lines.flatMap((line, index) => (ANSWERED.test(line) ? [index] : []))
    expect(answers).toHaveLength(CALLBACKS)
    for (const [n, object] of objects.entries()) {
      const written = lines.findIndex((line) => WRITTEN.test(line) && line.includes(object))
      const synced = syncs.find((index) => index > written)
      expect(written, `${object} in the log`).toBeGreaterThan(answers[n - 1] ?? 0)
      expect(synced, 'its sync, and its answer').toBeLessThan(answers[n] ?? 0)
    }
  })
})

/** The lines at which a sync of the log had ended. */
function syncsOf(lines: readonly string[]): number[] {
  const syncing = new Set<string>()
  return lines.flatMap((line, index) => {
    const begun = SYNC_BEGUN.exec(line)?.[1]
    const resumed = SYNC_RESUMED.exec(line)?.[1]
    if (begun !== undefined && line.endsWith('= 0')) return [index]
    if (begun !== undefined) syncing.add(begun)
    return resumed !== undefined && syncing.delete(resumed) ? [index] : []
  })
}
