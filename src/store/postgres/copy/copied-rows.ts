// Tables as rows, in SQL that is made from their columns: read by pages, written by one statement a
// batch. Bytes travel as one value and are cut on the server, since an array of buffers would go as
// hexadecimal text.
import type { CopiedPage, CopiedRow, CopiedTable, CopiedValue } from '../../../ports/copy.ts'
import { COPIED_TABLES, type ColumnKind } from '../../copied-tables.ts'
import { inSchema } from '../connection/location.ts'
import type { Session } from '../connection/session.ts'

/** As which type a column is read: whole numbers would come as text. */
const READ_AS: Readonly<Record<ColumnKind, string>> = {
  text: '',
  integer: '::float8',
  boolean: '',
  bytes: '',
}
const ARRAY: Readonly<Record<ColumnKind, string>> = {
  text: 'text[]',
  integer: 'bigint[]',
  boolean: 'boolean[]',
  bytes: 'int[]',
}

export async function readPage(
  session: Session,
  schema: string,
  { table, from, limit }: { table: CopiedTable; from: number; limit: number },
): Promise<CopiedPage> {
  const { columns, order } = COPIED_TABLES[table]
  const names = Object.entries(columns).map(([name, kind]) => `${name}${READ_AS[kind]} as ${name}`)
  if (order === 'added') {
    const statement = `
      select number::float8 as added, ${names.join(', ')} from @.${table}
      where number > $1 order by number limit $2`
    const read = await session.rows(inSchema(schema, statement), [from, limit])
    const next = read.length < limit ? null : Number(read.at(-1)?.added)
    return { rows: read.map(({ added: _, ...row }) => row as CopiedRow), next }
  }
  // The same order whatever the collation of the database is.
  const by = order.map((name) => (columns[name] === 'text' ? `${name} collate "C"` : name))
  const statement = `
    select ${names.join(', ')} from @.${table} order by ${by.join(', ')} limit $1 offset $2`
  const rows = (await session.rows(inSchema(schema, statement), [limit, from])) as CopiedRow[]
  return { rows, next: rows.length < limit ? null : from + limit }
}

export async function writeRows(
  session: Session,
  schema: string,
  { table, rows }: { table: CopiedTable; rows: readonly CopiedRow[] },
): Promise<void> {
  const { columns, numbered } = COPIED_TABLES[table]
  const values: unknown[] = []
  const add = (value: unknown) => `$${values.push(value)}`
  const arrays: string[] = []
  const picked = Object.entries(columns).map(([name, kind]) => {
    const given = rows.map((row) => row[name] ?? null)
    if (kind !== 'bytes') {
      arrays.push(`${add(given.map(fit))}::${ARRAY[kind]}`)
      return `c${arrays.length}`
    }
    const parts = given as Uint8Array[]
    let end = 0
    const starts = parts.map((part) => {
      end += part.byteLength
      return end - part.byteLength + 1
    })
    arrays.push(`${add(starts)}::int[]`, `${add(parts.map((part) => part.byteLength))}::int[]`)
    const bytes = `${add(Buffer.concat(parts))}::bytea`
    return `substring(${bytes} from c${arrays.length - 1} for c${arrays.length})`
  })
  const statement = `
    insert into @.${table} (${Object.keys(columns).join(', ')}) overriding system value
    select ${picked.join(', ')} from unnest(${arrays.join(', ')})
      with ordinality as given (${arrays.map((_, n) => `c${n + 1}`).join(', ')}, nth)
    order by nth`
  await session.rows(inSchema(schema, statement), values)
  if (numbered === undefined) return
  const next = `
    select setval(pg_get_serial_sequence('@.${table}', '${numbered}'), max(${numbered}))
    from @.${table} having max(${numbered}) is not null`
  await session.rows(inSchema(schema, next))
}

/** PostgreSQL takes no NUL in a text. */
function fit(value: CopiedValue): CopiedValue {
  return typeof value === 'string' ? value.replaceAll('\0', '\ufffd') : value
}
