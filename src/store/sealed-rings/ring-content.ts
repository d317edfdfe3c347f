// A ring as it is stored: JSON in which a foreign key is sealed. Reading is tolerant and writing
// keeps what it does not know, so that an image that was rolled back loses nothing of a later one.
import {
  EMPTY_RING,
  type KeyId,
  MAX_KEYS,
  type Ring,
  type RingKey,
  sameKey,
} from '../../core/keys/key-ring.ts'
import { ServiceError } from '../../errors.ts'
import type { Seals } from './seal.ts'

type Fields = Readonly<Record<string, unknown>>
type StoredKey = { readonly fields: Fields; readonly key: RingKey }

/** The ring of `domain` that `content` holds; a foreign key that no secret of ours opens is left out. */
export async function decodeRing(domain: string, content: string, seals: Seals): Promise<Ring> {
  const fields = parse(domain, content)
  const keys = await openKeys(fields, seals)
  return {
    current: (await openKeyId(fields.current, seals)) ?? null,
    keys: keys.map(({ key }) => key),
    confirmedUrl: asText(fields.confirmedUrl) ?? EMPTY_RING.confirmedUrl,
    formerUrls: asList(fields.formerUrls).filter((url) => typeof url === 'string'),
    released: fields.released === true,
    contest: decodeContest(fields.contest),
    unseenSince: typeof fields.unseenSince === 'number' ? fields.unseenSince : null,
    movedTo: asText(fields.movedTo) ?? null,
  }
}

/** The content to store for a ring, with what `previous` holds beyond what we know. */
export async function encodeRing(
  domain: string,
  ring: Ring,
  previous: string | undefined,
  seals: Seals,
): Promise<string> {
  const fields = previous === undefined ? {} : parse(domain, previous)
  const known = await openKeys(fields, seals)
  const keys = ring.keys.map(async (key) => ({
    ...known.find((stored) => sameKey(stored.key.id, key.id))?.fields,
    ...key,
    id: await sealKeyId(key.id, seals),
  }))
  return JSON.stringify({
    ...fields,
    ...ring,
    current: ring.current && (await sealKeyId(ring.current, seals)),
    keys: [...(await Promise.all(keys)), ...(await unopenedKeys(fields, seals))],
  })
}

function decodeContest(stored: unknown): Ring['contest'] {
  const { seenAt, heldAt } = asFields(stored)
  return {
    seenAt: asList(seenAt).filter((at) => typeof at === 'number'),
    heldAt: typeof heldAt === 'number' ? heldAt : null,
  }
}

async function sealKeyId(id: KeyId, seals: Seals): Promise<Fields> {
  return id.kind === 'foreign' ? { kind: id.kind, sealed: await seals.seal(id.key) } : id
}

async function openKeys(ring: Fields, seals: Seals): Promise<StoredKey[]> {
  const keys = asList(ring.keys).map(async (stored) => {
    const fields = asFields(stored)
    const id = await openKeyId(fields.id, seals)
    if (id === undefined) return []
    return [{ fields, key: { id, seenAt: asTime(fields.seenAt), usedAt: asTime(fields.usedAt) } }]
  })
  return (await Promise.all(keys)).flat()
}

/** Keys as stored that no secret of ours opens now: a start with the wrong secret loses none. */
async function unopenedKeys(ring: Fields, seals: Seals): Promise<Fields[]> {
  const stored = asList(ring.keys).map(asFields)
  const opened = await Promise.all(stored.map(({ id }) => openKeyId(id, seals)))
  return stored.filter((_, index) => opened[index] === undefined).slice(0, MAX_KEYS)
}

async function openKeyId(stored: unknown, seals: Seals): Promise<KeyId | undefined> {
  const { kind, secret, generation, sealed } = asFields(stored)
  if (kind === 'derived' && typeof secret === 'string' && typeof generation === 'number') {
    return { kind, secret, generation }
  }
  if (kind !== 'foreign' || typeof sealed !== 'string') return undefined
  const key = await seals.open(sealed)
  return key === undefined ? undefined : { kind, key }
}

function parse(domain: string, content: string): Fields {
  try {
    return asFields(JSON.parse(content))
  } catch (cause) {
    throw damaged(domain, cause)
  }
}

function damaged(domain: string, cause: unknown): ServiceError {
  return new ServiceError(
    `The key ring of ${domain} in the store is not JSON: restore the store from a backup. Without one, delete its row from the table rings: the registration is found anew, but keys that were set by hand are forgotten.`,
    { code: 'ring_damaged', cause },
  )
}

function asFields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : {}
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function asTime(value: unknown): number {
  return typeof value === 'number' ? value : 0
}
