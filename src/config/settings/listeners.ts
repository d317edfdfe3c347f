// Where the service listens.
import { readAddress } from '../readers.ts'
import { setting } from '../setting.ts'

export const LISTENER_SETTINGS = {
  listen: setting({
    env: 'SNAPHOOK_LISTEN',
    default: '0.0.0.0:8080',
    read: readAddress,
    about: 'public listener: callbacks and the probe, nothing else',
  }),
  opsListen: setting({
    env: 'SNAPHOOK_OPS_LISTEN',
    default: '127.0.0.1:9090',
    read: readAddress,
    about: 'private listener: health, metrics, API; not for the internet',
  }),
}
