// `copy-store`: moves what a store knows into another one, between SQLite and PostgreSQL either way.

import { type CopyProgress, type CopyResult, copyStore } from '../../admin/copy-store.ts'
import { openCopySource, openCopyTarget } from '../../app/copies.ts'
import { withDefaults } from '../../app/overrides.ts'
import { readStoreSetting } from '../../config/config.ts'
import { readStore } from '../../config/store-url.ts'
import { printableJson } from '../../core/printable.ts'
import { Problem } from '../../core/problem.ts'
import { type StorePlace, storeName } from '../../core/store-place.ts'
import { faultCode } from '../../errors.ts'
import { command } from '../command.ts'
import { EXIT, refuseOption, refuseSettings, refuseUsage, type Shell } from '../shell.ts'

/** Lines of progress are so far apart at least. */
const PROGRESS_MS = 2_000

type Options = {
  readonly from?: string
  readonly to?: string
  readonly events?: true
  readonly json?: true
}

export const COPY_STORE = command({
  name: 'copy-store',
  description: 'copy key rings, cursors, dead letters and the rest into an empty store',
  define: (copy) =>
    copy
      .option('--from <url>', 'the store to copy: sqlite:PATH or postgres://…')
      .option('--to <url>', 'the empty store')
      .option('--events', 'the event log too; nobody may serve on the source then')
      .option('--json', 'print JSON')
      .addHelpText(
        'after',
        '\nWhere --from or --to is not given, it is SNAPHOOK_STORE: a password then stays out of the list of processes.\nWhat was interrupted goes on when it is run again.',
      ),
  run: runCopy,
})

async function runCopy(shell: Shell, options: Options): Promise<number> {
  const { events: withEvents = false, json } = options
  if (options.from === undefined && options.to === undefined) {
    throw refuseUsage(shell, 'one of --from and --to is needed; the other may be SNAPHOOK_STORE')
  }
  const set = readStoreSetting(shell.env, shell.readFile)
  const place = (name: '--from' | '--to', given: string | undefined): StorePlace | null => {
    if (given === undefined) return set.ok ? set.value : null
    const read = readStore(given)
    if (!(read instanceof Problem)) return read
    throw refuseUsage(shell, `option ${name} ${read.sentence}`)
  }
  const from = place('--from', options.from)
  const to = place('--to', options.to)
  if (from === null || to === null) return refuseSettings(shell, set.ok ? [] : set.problems)
  if (storeName(from) === storeName(to)) throw refuseOption(shell, '--to', 'another store')
  const result = await copy(shell, { from, to, withEvents })
  if (result === null) return EXIT.failed
  if (json) shell.print(printableJson(result, 2))
  else for (const line of linesOf(result, { from, to, withEvents })) shell.print(line)
  return EXIT.done
}

type Wanted = { readonly from: StorePlace; readonly to: StorePlace; readonly withEvents: boolean }

/** Null where it was stopped. */
async function copy(shell: Shell, { from, to, withEvents }: Wanted): Promise<CopyResult | null> {
  const { signal } = shell
  const log = shell.createLog('error')
  const { clock } = withDefaults({ log, stdout: shell.stdout, ...shell.overrides })
  const source = await openCopySource(from, { isAlone: withEvents, clock, signal })
  try {
    const target = await openCopyTarget(to, { isAlone: true, clock, signal })
    try {
      return await copyStore({
        ...{ from: source, to: target, withEvents, now: clock.now, signal },
        onProgress: showProgress(shell, clock.elapsed),
      })
    } finally {
      await target.close()
    }
  } catch (error) {
    if (faultCode(error) !== 'aborted') throw error
    shell.error('snaphook: stopped; run it again to go on')
    return null
  } finally {
    await source.close()
  }
}

function showProgress(shell: Shell, elapsed: () => number): (progress: CopyProgress) => void {
  let shownAt = elapsed()
  return ({ what, done, total }) => {
    const now = elapsed()
    if (now - shownAt < PROGRESS_MS) return
    shownAt = now
    const share = Math.floor((100 * done) / Math.max(1, total))
    shell.error(`${what.replaceAll('_', ' ')}: ${done} of ${total} (${share} %)`)
  }
}

function linesOf({ isKnown, endedAt, copied, left }: CopyResult, { from, to, withEvents }: Wanted) {
  if (isKnown) return [`${storeName(from)} was copied at ${endedAt}; nothing was to do`]
  const counts = Object.entries(copied)
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${count} ${what.replaceAll('_', ' ')}`)
  const behind = Object.entries(left).map(
    ([sink, lag]) =>
      `sink ${sink} has not had ${lag} events, which stay in ${storeName(from)}: have the service there deliver them, or copy with --events`,
  )
  return [
    `copied to ${storeName(to)}: ${counts.join(', ') || 'an empty store'}`,
    ...behind,
    ...(withEvents ? [] : ['the event log was not copied; its numbers go on']),
    'serve there with the same SNAPHOOK_SECRET; of a file it is in snaphook.secret beside it',
  ]
}
