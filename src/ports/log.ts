// What the flows log through. Types only.

type LogMethod = (message: string, fields?: Readonly<Record<string, unknown>>) => void
/** Fields must hold no secret, key, token or signature; the shell redacts known names as well. */
export type Log = Record<'debug' | 'info' | 'warn' | 'error', LogMethod>
