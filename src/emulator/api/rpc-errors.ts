// The provider's error codes with the HTTP status and wording of its reference pages. Status and
// code do not always agree between those pages; callers are meant to look at the code.

/** An API call that was refused: what `Code` and `Message` will say. */
export type Refusal = { code: string; message: string }

type ErrorEntry = { status: number; message: string }

const ERRORS: Record<string, ErrorEntry> = {
  MissingParam: { status: 400, message: '%s, please check and try again later.' },
  MalformedParam: { status: 400, message: '%s, please check and try again later.' },
  ConfigNotFound: { status: 400, message: '%s, please check and try again later.' },
  ConfigAlreadyExists: { status: 409, message: '%s, please check and try again later.' },
  InternalError: { status: 500, message: 'Internal error, please try again later.' },
  ServiceUnavailable: {
    status: 503,
    message: 'The request has failed due to a temporary failure of the server.',
  },
  'InvalidDomain.NotFound': { status: 404, message: 'The domain provided does not exist.' },
  'InvalidStream.NotFound': { status: 404, message: 'The stream provided does not exist.' },
  'InvalidStartTime.Malformed': { status: 400, message: 'Specified StartTime is malformed.' },
  'InvalidEndTime.Malformed': { status: 400, message: 'Specified EndTime is malformed.' },
  'InvalidEndTime.Mismatch': {
    status: 400,
    message: 'Specified EndTime does not match the specified StartTime.',
  },
  'InvalidApi.NotFound': {
    status: 404,
    message: 'Specified api is not found, please check your url and method.',
  },
  MissingAccessKeyId: { status: 400, message: 'AccessKeyId is mandatory for this action.' },
  'InvalidAccessKeyId.NotFound': { status: 404, message: 'Specified access key is not found.' },
  'InvalidTimeStamp.Format': {
    status: 400,
    message: 'Specified time stamp or date value is not well formatted.',
  },
  'InvalidTimeStamp.Expired': {
    status: 400,
    message: 'Specified time stamp or date value is expired.',
  },
  SignatureNonceUsed: { status: 400, message: 'Specified signature nonce was used already.' },
  SignatureDoesNotMatch: {
    status: 400,
    message: 'Specified signature is not matched with our calculation.',
  },
  'Throttling.User': { status: 400, message: 'Request was denied due to user flow control.' },
  'Forbidden.RAM': {
    status: 403,
    message:
      'User not authorized to operate on the specified resource, or this API does not support RAM.',
  },
}

const UNLISTED: ErrorEntry = { status: 400, message: 'The request was refused.' }

/** A refusal with the provider's own wording; `detail` fills the `%s` of those that have one. */
export function refuse(code: string, detail = 'Invalid parameter'): Refusal {
  return { code, message: (ERRORS[code] ?? UNLISTED).message.replace('%s', () => detail) }
}

/** The HTTP status that goes with a code. */
export function statusOf(code: string): number {
  return (ERRORS[code] ?? UNLISTED).status
}
