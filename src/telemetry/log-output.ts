// Where log lines go: out in order while they are taken; kept up to a limit while they are not;
// dropped and counted beyond it, or where writing fails. Logging never waits and never throws.
import type { StandardStream } from './standard-stream.ts'

/** A reader of standard error that stalls costs this much memory at most. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024
/** Of one write: what is dropped if it fails. */
const MAX_WRITE_BYTES = 64 * 1024

export function createLogOutput(
  stream: StandardStream,
  /** The line that reports what was dropped, without its end. */
  report: (dropped: number) => string,
  maxWaitingBytes = MAX_WAITING_BYTES,
) {
  const waiting: string[] = []
  let waitingBytes = 0
  let isWriting = false
  let dropped = 0
  let isReportDue = false
  // Each write learns of a fault by itself.
  stream.on('error', () => undefined)

  function next(): void {
    if (isReportDue) reportDropped()
    else if (waiting.length > 0) sendSome()
  }

  function sendSome(): void {
    const lines = takeSome()
    send(lines.join(''), (failed) => {
      if (failed) dropped += lines.length
      isReportDue = !failed && dropped > 0
    })
  }

  /** As soon as lines are taken again, before those that wait. */
  function reportDropped(): void {
    const count = dropped
    isReportDue = false
    send(`${report(count)}\n`, (failed) => {
      if (!failed) dropped -= count
    })
  }

  function send(text: string, settle: (failed: boolean) => void): void {
    isWriting = true
    stream.write(text, (error) => {
      isWriting = false
      settle(Boolean(error))
      next()
    })
  }

  function takeSome(): string[] {
    let bytes = 0
    const end = waiting.findIndex((line) => {
      bytes += line.length
      return bytes > MAX_WRITE_BYTES
    })
    const lines = waiting.splice(0, end === -1 ? waiting.length : Math.max(1, end))
    waitingBytes -= lines.reduce((sum, { length }) => sum + length, 0)
    return lines
  }

  return {
    write(line: string): void {
      if (waitingBytes + line.length > maxWaitingBytes) {
        dropped += 1
        return
      }
      waiting.push(line)
      waitingBytes += line.length
      if (!isWriting) next()
    },
    /** Hands the system what it takes at once: for a process that is about to end. */
    flushSync(): void {
      const rest = waiting.splice(0).join('')
      if (rest !== '') stream.write(rest, () => undefined)
      stream.flushSync()
    },
  }
}
