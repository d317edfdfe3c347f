// Text that somebody else chose, made fit for names and for a terminal.

/** What CloudEvents 1.0 keeps out of a string: control characters, lone surrogates, noncharacters. */
const UNFIT = /[\p{Cc}\p{Cs}\p{NChar}]/gu
/** Line breaks that are no control characters, and what turns the direction of text around. */
const TURNING = /[\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g
/** A terminal obeys these; JSON allows them raw, and as escapes they mean the same. */
const RAW_IN_JSON =
  /[\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufffe\uffff]/g
const REPLACEMENT = '\ufffd'

/** A name with each character that no attribute may hold as U+FFFD. */
export function fitName(text: string): string {
  return text.replaceAll(UNFIT, REPLACEMENT)
}

/** Text of one line that leaves a terminal as it is. */
export function printable(text: string): string {
  return fitName(text).replaceAll(TURNING, REPLACEMENT)
}

/** Text of several lines that leaves a terminal as it is. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n')
}

/** JSON of a value for a program or a terminal: the same value, without a raw control character. */
export function printableJson(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, null, indent)
  return text.replaceAll(
    RAW_IN_JSON,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
