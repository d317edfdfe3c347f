import { expect, test } from 'vitest'
import { databaseNews } from '../../src/app/replicas.ts'
import type { KeptBy } from '../../src/core/store-place.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { keptLog } from '../support/flows/flow-fakes.ts'

test('what a commit is worth is a metric, and said when it changes, for better or worse', async () => {
  const log = keptLog()
  const metrics = createMetrics({
    ...{ domains: [], sinks: [], version: '0.0.0', now: () => 0 },
    sample: () => Promise.reject(new TypeError('no store')),
  })
  const news = databaseNews(log, metrics)
  const shown = async () => {
    const { body } = await metrics.render()
    return /^snaphook_store_durability\{kept="(\w+)"\} 1$/m.exec(body)?.[1]
  }
  expect(await shown()).toBe('unknown')
  const said: string[] = []
  for (const kept of ['standby', 'primary', 'nothing', 'primary', 'standby'] as KeptBy[]) {
    news.onDurability(kept)
    expect(await shown()).toBe(kept)
    said.push(log.lines.map(({ level }) => level).join())
  }
  expect(said).toEqual(['', 'warn', 'warn,error', 'warn,error,info', 'warn,error,info,info'])
})
