// What several deploy files have to agree on.
import { configFrom, REQUIRED } from './code.ts'
import { envIn, stagesOf } from './dockerfile.ts'
import { textOf } from './files.ts'

const DEFAULTS = configFrom(REQUIRED)
export const CALLBACK_PORT = DEFAULTS.listen.port
export const OPS_PORT = DEFAULTS.opsListen.port
/** From the signal to the exit: a promise of the service. */
export const STOPS_WITHIN_SECONDS = 5
/** The user `node` of the base image. */
export const USER = 1000
export const DATA = '/data'
/** Callbacks for all, operations for this machine. */
export const PUBLISHED = [`${CALLBACK_PORT}:${CALLBACK_PORT}`, `127.0.0.1:${OPS_PORT}:${OPS_PORT}`]
export const imageEnv = envIn(stagesOf(textOf('Dockerfile')).at(-1) ?? [])
