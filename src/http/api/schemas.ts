// The forms of what the API answers. The OpenAPI document is made of these, and tests hold real
// answers against it.
import { z } from 'zod'
import { AUDIT_STATES, GAP_REASONS } from '../../core/audit/state.ts'
import { SINK_STATES } from '../../core/delivery/outcome.ts'
import { FLAGS } from '../../core/events/callback.ts'
import { ORIGINS } from '../../core/events/snapshot-event.ts'
import { STREAM_STATES } from '../../core/events/stream-state.ts'
import { REGISTRATION_STATES } from '../../core/registration/registration.ts'

const time = z.iso.datetime({ offset: true }).describe('RFC 3339')
const name = z.string().nullable().describe('null if the body does not name it')
const seq = z.int().min(1).describe('the place in the event log')
const eventId = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .describe('the identity of the event')

export const cloudEvent = z
  .looseObject({
    specversion: z.literal('1.0'),
    id: eventId,
    source: z.string().describe('acs:live:DOMAIN'),
    type: z.literal('com.aliyun.live.snapshot'),
    subject: z.string().optional().describe('APP/STREAM; absent unless both are known'),
    time: time.describe('the capture time, else the time of receipt'),
    datacontenttype: z.literal('application/json'),
    data: z.looseObject({
      domain: z.string(),
      app: name,
      stream: name,
      bucket: name,
      endpoint: name,
      object: name,
      capturedAt: time.nullable(),
      receivedAt: time,
      origin: z.enum(ORIGINS),
      seq,
      flags: z.array(z.enum(FLAGS)),
      raw: z.string().optional().describe('the body as it came'),
      rawBase64: z.string().optional().describe('the body, if it is not UTF-8'),
    }),
  })
  .meta({ id: 'SnapshotEvent', description: 'A snapshot event as CloudEvents 1.0 JSON.' })

const next = z
  .string()
  .nullable()
  .describe('the cursor of the next page, for `after`; null on the last one')

export const eventPage = z.object({ events: z.array(cloudEvent), next }).meta({
  id: 'EventPage',
  description:
    'A page may hold fewer events than asked for, or none, and have a next one: a call does a bounded amount of work.',
})

export const streamView = z
  .object({
    domain: z.string(),
    app: name,
    stream: name.describe('null, as app is, for all that names neither'),
    latest: z.object({
      id: eventId,
      seq,
      bucket: name,
      endpoint: name,
      object: name,
      capturedAt: time.nullable(),
      receivedAt: time,
    }),
    events: z.int().min(1).describe('ever kept, whatever retention removed since'),
    firstSeenAt: time,
    intervalSeconds: z.number().nullable().describe('as observed; null until it can be told'),
    state: z
      .enum(STREAM_STATES)
      .describe('late: 3 intervals, at least 30 s; silent: 10 intervals, at least 5 min'),
  })
  .meta({ id: 'Stream', description: 'A stream and its latest shot.' })

export const streamPage = z
  .object({ streams: z.array(streamView), next })
  .meta({ id: 'StreamPage' })

export const registrationList = z
  .object({
    registrations: z.array(
      z.looseObject({
        domain: z.string(),
        state: z.enum(REGISTRATION_STATES),
        detail: z.string().nullable().describe('what is wrong and what to do'),
        url: z.string(),
        foundUrl: z.string().nullable(),
        keyKnown: z.boolean(),
        unsigned: z.int(),
        generation: z.int().nullable().describe('-1: foreign'),
        lastCallbackAt: time.nullable(),
        lookedAt: time.nullable(),
      }),
    ),
  })
  .meta({ id: 'RegistrationList' })

export const sinkList = z
  .object({
    sinks: z.array(
      z.looseObject({
        name: z.string(),
        state: z.enum(SINK_STATES),
        lag: z.int().describe('events that it has still to get'),
        batchSize: z.int().describe('events sent at once, at most'),
        detail: z.string().nullable(),
        deadLetters: z.int(),
      }),
    ),
  })
  .meta({ id: 'SinkList' })

export const auditList = z
  .object({
    audits: z.array(
      z.looseObject({
        domain: z.string(),
        state: z.enum(AUDIT_STATES),
        detail: z.string().nullable().describe('what is wrong and what to do'),
        auditedUntil: time.nullable(),
        missed: z.int().describe('shots that no callback brought, since the start'),
        filled: z.int().describe('events made of the list, since the start'),
        gaps: z
          .array(
            z.object({ from: time, until: time, reason: z.enum(GAP_REASONS), missed: z.int() }),
          )
          .describe('what was not filled or not looked at, the last one first'),
      }),
    ),
  })
  .meta({ id: 'AuditList' })

export const problemForm = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string(),
    detail: z.string().describe('what to do'),
    parameters: z.array(z.object({ parameter: z.string(), detail: z.string() })).optional(),
  })
  .meta({ id: 'Problem', description: 'What is wrong, as RFC 9457 has it.' })
