// The HTTP answers of the API: JSON with a request id, refusals in the provider's envelope, and
// what a broken gateway sends instead.
import { randomUUID } from 'node:crypto'
import { FAULT_CODES, type FaultKind } from './faults.ts'
import type { Fields } from './operations/operation.ts'
import { type Refusal, refuse, statusOf } from './rpc-errors.ts'

const HOST_ID = 'live.aliyuncs.com'
const TROUBLESHOOT_URL = 'https://api.aliyun.com/troubleshoot'
const GATEWAY_PAGE = `<html>
<head><title>502 Bad Gateway</title></head>
<body><center><h1>502 Bad Gateway</h1></center></body>
</html>
`

/** The error code that stands behind a fault's name. */
const CODES: Partial<Record<FaultKind, string>> = FAULT_CODES

/** The answer of a call that was carried out. */
export function answerFields(fields: Fields): Response {
  return json(200, { RequestId: requestId(), ...fields })
}

/** The answer of a call that was refused. */
export function answerRefusal({ code, message }: Refusal): Response {
  const RequestId = requestId()
  const Recommend = `${TROUBLESHOOT_URL}?q=${encodeURIComponent(code)}&product=live&requestId=${RequestId}`
  return json(statusOf(code), {
    RequestId,
    HostId: HOST_ID,
    Code: code,
    Message: message,
    Recommend,
  })
}

/** The answer that a fault puts in place of the call's own: a broken one, or an error code. */
export function answerFault(fault: string): Response {
  switch (fault) {
    case 'html_502':
      return new Response(GATEWAY_PAGE, { status: 502, headers: { 'Content-Type': 'text/html' } })
    case 'empty_503':
      return new Response(null, { status: 503 })
    case 'empty_object':
      return json(200, {})
    default:
      return answerRefusal(refuse(CODES[fault as FaultKind] ?? fault))
  }
}

function json(status: number, body: unknown): Response {
  const headers = { 'Content-Type': 'application/json;charset=utf-8' }
  return new Response(JSON.stringify(body), { status, headers })
}

function requestId(): string {
  return randomUUID().toUpperCase()
}
