// What a process has used so far, as Linux counts it: processor time by thread, bytes written.
import { readdirSync, readFileSync } from 'node:fs'

export type Usage = {
  /** Microseconds on a processor: the event loop's thread, the store's, its reader's, and all others. */
  readonly mainUs: number
  readonly storeUs: number
  readonly readerUs: number
  readonly otherUs: number
  /** That went to a disk. */
  readonly writtenBytes: number
}

/** Undefined where there is no such bookkeeping. */
export function usageOf(pid: number): Usage | undefined {
  try {
    const threads = readdirSync(`/proc/${pid}/task`).map((id) => {
      const of = (file: string) => readFileSync(`/proc/${pid}/task/${id}/${file}`, 'utf8')
      const [onProcessorNs] = of('schedstat').split(' ')
      return { id: Number(id), name: of('comm').trim(), us: Number(onProcessorNs) / 1000 }
    })
    const sum = (which: (thread: (typeof threads)[number]) => boolean) =>
      threads.filter(which).reduce((total, { us }) => total + us, 0)
    const isMain = ({ id }: { id: number }) => id === pid
    const isNamed = ({ name }: { name: string }) => STORE.test(name) || READER.test(name)
    return {
      mainUs: sum(isMain),
      storeUs: sum(({ name }) => STORE.test(name)),
      readerUs: sum(({ name }) => READER.test(name)),
      otherUs: sum((thread) => !isMain(thread) && !isNamed(thread)),
      writtenBytes: Number(
        /^write_bytes: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1],
      ),
    }
  } catch {
    return undefined
  }
}

/** How Node.js names the threads of the workers `store` and `reader`. */
const STORE = /store/
const READER = /reader/
