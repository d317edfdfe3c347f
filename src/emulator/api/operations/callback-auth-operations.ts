// The authentication of the app-level callback: `…SnapshotCallbackAuth`. How it relates to the
// domain-level one is not documented; here it signs only what the app-level callback sends.
import { DONE, type Operation } from './operation.ts'
import { showKey } from './shown-key.ts'

export const setCallbackAuth: Operation = {
  required: ['DomainName', 'CallbackReqAuth', 'CallbackAuthKey'],
  run({ DomainName, CallbackReqAuth = '', CallbackAuthKey = '' }, { configurations }) {
    configurations.writeAuth(DomainName, { CallbackReqAuth, CallbackAuthKey })
    return DONE
  },
}

export const queryCallbackAuth: Operation = {
  required: ['DomainName'],
  run({ DomainName }, { configurations, switches }) {
    const auth = configurations.shownAuth(DomainName)
    const key = showKey('CallbackAuthKey', auth?.CallbackAuthKey ?? '', switches().key_shown)
    return { fields: { DomainName, CallbackReqAuth: auth?.CallbackReqAuth ?? 'no', ...key } }
  },
}

export const deleteCallbackAuth: Operation = {
  required: ['DomainName'],
  run({ DomainName }, { configurations }) {
    configurations.writeAuth(DomainName, undefined)
    return DONE
  },
}
