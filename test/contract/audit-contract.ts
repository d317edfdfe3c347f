// What any store must do for the audit. See `store-contract.ts`.
import { describe, expect, it } from 'vitest'
import type { KeptShot } from '../../src/core/audit/shots.ts'
import type { AuditProgress, EventPlace } from '../../src/ports/audit.ts'
import type { Store } from '../../src/ports/store.ts'
import { eventOf, range } from '../support/store/store-events.ts'

const DOMAIN = 'live.example.com'
const OTHER = 'other.example.com'
const AT = 1_700_000_000_000
const MINUTE = 60_000

const moved = (minutes: number, more: object = {}): AuditProgress => ({
  kind: 'audit',
  domain: DOMAIN,
  auditedUntil: AT + minutes * MINUTE,
  isDoubtful: false,
  gap: null,
  ...more,
})

export function auditContract(name: string, newPlace: () => () => Promise<Store>): void {
  const found = (n: number) =>
    eventOf(n, { origin: 'audit', domain: DOMAIN, occurredAt: AT + n * 1_000 })

  describe(`${name}: the audit`, () => {
    it('begins where a domain is seen first, and a second start changes nothing of that', async () => {
      const store = await newPlace()()
      expect(await store.loadAudit(DOMAIN)).toBeNull()
      await store.beginTaking([DOMAIN], AT)
      await store.beginTaking([DOMAIN], AT + MINUTE)
      expect(await store.loadAudit(DOMAIN)).toMatchObject({
        domain: DOMAIN,
        since: AT,
        auditedUntil: AT,
        isDoubtful: false,
        gaps: [],
      })
    })

    it('remembers the time in which nobody took callbacks, from the last note or event on', async () => {
      const store = await newPlace()()
      await store.beginTaking([DOMAIN], AT)
      await store.noteTaking([DOMAIN], AT + 5 * MINUTE)
      await store.append(eventOf(1, { domain: DOMAIN, receivedAt: AT + 6 * MINUTE }))
      await store.fill([{ ...found(9), receivedAt: AT + 8 * MINUTE }], moved(0))
      await store.beginTaking([DOMAIN], AT + 10 * MINUTE)
      expect((await store.loadAudit(DOMAIN))?.notTaking).toEqual([
        { from: AT + 6 * MINUTE, until: AT + 10 * MINUTE },
      ])
    })

    it('does not take the events of others for a domain that was out of the settings', async () => {
      const store = await newPlace()()
      await store.beginTaking([DOMAIN, OTHER], AT)
      await store.noteTaking([DOMAIN], AT + 5 * MINUTE)
      await store.append(eventOf(1, { domain: DOMAIN, receivedAt: AT + 6 * MINUTE }))
      await store.beginTaking([DOMAIN, OTHER], AT + 7 * MINUTE)
      expect((await store.loadAudit(OTHER))?.notTaking).toEqual([
        { from: AT, until: AT + 7 * MINUTE },
      ])
    })

    it('joins ranges that are near, and forgets those that the audit passed a day ago', async () => {
      const store = await newPlace()()
      await store.beginTaking([DOMAIN], AT)
      const note = (from: number, until: number) =>
        store.noteNotTaking(DOMAIN, { from: AT + from * MINUTE, until: AT + until * MINUTE })
      await note(1, 2)
      await note(2.5, 3)
      await note(10, 11)
      await note(12, 12)
      const record = await store.loadAudit(DOMAIN)
      expect(record?.notTaking).toEqual([
        { from: AT + MINUTE, until: AT + 3 * MINUTE },
        { from: AT + 10 * MINUTE, until: AT + 11 * MINUTE },
      ])
      await store.fill([], moved(24 * 60 + 5))
      expect((await store.loadAudit(DOMAIN))?.notTaking).toEqual([
        { from: AT + 10 * MINUTE, until: AT + 11 * MINUTE },
      ])
    })

    it('keeps what was found and how far it came, and the same events once', async () => {
      const store = await newPlace()()
      await store.beginTaking([DOMAIN], AT)
      expect(await store.fill([found(1), found(2)], moved(1))).toBe(2)
      expect(await store.fill([found(2), found(3)], moved(2))).toBe(1)
      expect((await store.read(0, 10)).map(({ origin, id }) => [origin, id])).toEqual(
        [1, 2, 3].map((n) => ['audit', found(n).id]),
      )
      expect(await store.loadAudit(DOMAIN)).toMatchObject({ auditedUntil: AT + 2 * MINUTE })
      await store.fill([], moved(1, { isDoubtful: true }))
      expect(await store.loadAudit(DOMAIN)).toMatchObject({
        auditedUntil: AT + 2 * MINUTE,
        isDoubtful: true,
      })
    })

    it('does not take what was found for a callback that came', async () => {
      const store = await newPlace()()
      await store.beginTaking([DOMAIN], AT)
      await store.fill([found(1)], moved(1))
      expect((await store.loadTally(DOMAIN)).lastCallbackAt).toBeNull()
    })

    it('remembers gaps: one goes on where the last one of its kind ended', async () => {
      const store = await newPlace()()
      await store.beginTaking([DOMAIN], AT)
      const gap = (from: number, reason: string, missed: number) => ({
        gap: { from: AT + from * MINUTE, until: AT + (from + 1) * MINUTE, reason, missed },
      })
      await store.fill([], moved(1, gap(0, 'doubtful', 3)))
      await store.fill([], moved(2, gap(1, 'doubtful', 4)))
      await store.fill([], moved(3, gap(2, 'cannot_compare', 0)))
      expect((await store.loadAudit(DOMAIN))?.gaps).toEqual([
        { from: AT + 2 * MINUTE, until: AT + 3 * MINUTE, reason: 'cannot_compare', missed: 0 },
        { from: AT, until: AT + 2 * MINUTE, reason: 'doubtful', missed: 7 },
      ])
    })

    it('surveys what a domain has of a range, in steps, and reads it but for some names', async () => {
      const store = await newPlace()()
      const many = 2_100
      const said = (n: number) => {
        if (n % 3 === 0) return { AppName: 'live', StreamName: 'door', OssObject: `door/${n}.jpg` }
        return n % 3 === 1 ? { stream: 'gate', OssObject: `gate/${n}.jpg` } : { ref: n }
      }
      const event = (n: number, more: object = {}) => {
        const body = Buffer.from(JSON.stringify(said(n)))
        return { ...eventOf(n, { domain: DOMAIN, occurredAt: AT + (n >> 1) }), body, ...more }
      }
      const inAnyOrder = range(many).toSorted((a, b) => (a % 7) - (b % 7))
      await Promise.all(inAnyOrder.map((n) => store.append(event(n))))
      await store.append(event(many, { domain: OTHER, occurredAt: AT + 1 }))
      await store.append(event(many + 1, { occurredAt: AT + many }))
      await store.append(event(many + 3, { occurredAt: AT - 1 }))
      await store.append(event(many + 6, { origin: 'audit', occurredAt: AT + many - 1 }))

      const wanted = { domain: DOMAIN, range: { from: AT, until: AT + many } }
      const rows: { name: object | undefined; at: number; kind: number | undefined }[] = []
      let steps = 0
      for (let after: EventPlace | null | undefined; after !== null; steps += 1) {
        const { columns, next, seconds } = await store.surveyKept({
          ...wanted,
          after: after ?? null,
        })
        expect(seconds).toBeGreaterThan(0)
        const { names, nameOf, occurredAt, kinds } = columns
        occurredAt.forEach((at, row) => {
          rows.push({ name: names[nameOf[row] as number], at: at - AT, kind: kinds[row] })
        })
        after = next
      }
      expect(steps).toBeGreaterThan(1)
      expect(rows.map(({ at }) => at)).toEqual([...range(many).map((n) => n >> 1), many - 1])
      const named = Map.groupBy(rows, ({ name, kind }) => JSON.stringify({ ...name, kind }))
      expect(Object.fromEntries([...named].map(([name, { length }]) => [name, length]))).toEqual({
        '{"app":"live","stream":"door","kind":1}': 700,
        '{"app":null,"stream":"gate","kind":1}': 700,
        '{"app":null,"stream":null,"kind":2}': 700,
        '{"app":"live","stream":"door","kind":0}': 1,
      })

      const except = [
        { app: null, stream: null },
        { app: 'live', stream: 'door' },
      ]
      const kept: KeptShot[] = []
      for (let after: EventPlace | null | undefined; after !== null; ) {
        const step = await store.readKept({ ...wanted, except, after: after ?? null })
        kept.push(...step.shots)
        after = step.next
      }
      const gate = range(many).filter((n) => n % 3 === 1)
      expect(kept).toEqual(
        gate.map((n) => ({
          ...{ app: null, stream: 'gate', object: `gate/${n}.jpg`, capturedAt: null },
          ...{ occurredAt: AT + (n >> 1), isCallback: true },
        })),
      )
    })
  })

  describe(`${name}: backfills`, () => {
    const REQUEST = { domain: DOMAIN, stream: null, from: AT, until: AT + 10 * MINUTE }
    const step = (id: number, minutes: number, more: object = {}): AuditProgress => ({
      kind: 'backfill',
      id,
      doneUntil: AT + minutes * MINUTE,
      listed: 5,
      missed: 2,
      isEnd: false,
      problem: null,
      ...more,
    })

    it('are worked off in order, count what they did, and end', async () => {
      const store = await newPlace()()
      const first = await store.requestBackfill(REQUEST)
      const second = await store.requestBackfill({ ...REQUEST, stream: 'live/a' })
      expect(await store.nextBackfill(OTHER)).toBeNull()
      expect(await store.nextBackfill(DOMAIN)).toMatchObject({
        ...REQUEST,
        id: first,
        doneUntil: AT,
        endedAt: null,
        cancelled: false,
        problem: null,
      })
      expect(await store.fill([found(1), found(2)], step(first, 5))).toBe(2)
      await store.fill([found(2)], step(first, 10, { isEnd: true, problem: 'a part' }))
      expect(await store.nextBackfill(DOMAIN)).toMatchObject({ id: second, stream: 'live/a' })
      const [open, ended] = await store.listBackfills()
      expect(open).toMatchObject({ id: second })
      expect(ended).toMatchObject({
        ...{ id: first, doneUntil: AT + 10 * MINUTE, listed: 10, missed: 4, filled: 2 },
        problem: 'a part',
      })
      expect(ended?.endedAt).not.toBeNull()
    })

    it('are called off once, and fill nothing from then on', async () => {
      const store = await newPlace()()
      const id = await store.requestBackfill(REQUEST)
      expect(await store.cancelBackfill(id)).toBe(true)
      expect(await store.cancelBackfill(id)).toBe(false)
      expect(await store.fill([found(1)], step(id, 5))).toBe(0)
      expect(await store.read(0, 10)).toEqual([])
      expect(await store.listBackfills()).toMatchObject([{ id, cancelled: true, filled: 0 }])
    })

    it('close the gaps that they have filled, but not those of one stream alone', async () => {
      const store = await newPlace()()
      await store.beginTaking([DOMAIN], AT)
      const gap = { from: AT, until: AT + MINUTE, reason: 'doubtful', missed: 3 }
      await store.fill([], moved(1, { gap }))
      const one = await store.requestBackfill({ ...REQUEST, stream: 'live/a' })
      await store.fill([], step(one, 10, { isEnd: true }))
      expect((await store.loadAudit(DOMAIN))?.gaps).toHaveLength(1)
      const all = await store.requestBackfill(REQUEST)
      await store.fill([], step(all, 10, { isEnd: true }))
      expect((await store.loadAudit(DOMAIN))?.gaps).toEqual([])
    })

    it('are twenty at most where they are listed, those under way first', async () => {
      const store = await newPlace()()
      const ids: number[] = []
      for (const _ of range(22)) ids.push(await store.requestBackfill(REQUEST))
      for (const id of ids.slice(2)) await store.cancelBackfill(id)
      const listed = await store.listBackfills()
      expect(listed).toHaveLength(20)
      expect(listed.slice(0, 2).map(({ id }) => id)).toEqual([ids[1], ids[0]])
    })
  })
}
