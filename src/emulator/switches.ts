// One switch for each behaviour of the provider that its documentation leaves open. The table is
// the only place that knows the names and values; the first value of each is the default.
import { type Checked, invalid, isObject, valid } from './checked.ts'
import { parseDuration } from './duration.ts'

const CHOICES = {
  /** What Describe answers when nothing is configured. */
  describe_when_unset: ['config_not_found', 'fields_absent', 'fields_empty'],
  /** How Describe shows a key; `number`: an all-digit key is a bare JSON number. */
  key_shown: ['plain', 'masked', 'absent', 'number'],
  /** What Update does with the parameters that are left out. */
  partial_update: ['keeps', 'clears'],
  /** Whether the signed host carries the port of the callback URL. */
  signed_host: ['without_port', 'with_port'],
  /** The case of the signature's hex digits. */
  hex: ['lower', 'upper'],
  /** Whether an answer other than 200 is retried, as a time-out is. */
  retry_on_non_200: ['yes', 'no'],
  /** Whether a retry carries a new timestamp and signature. */
  retry_signature: ['same', 'resigned'],
  /** When a running push learns of a new callback URL. */
  url_change: ['at_once', 'next_push'],
  /** When a push that began unsigned starts to sign, once authentication is on. */
  auth_on: ['next_push', 'at_once'],
  /** The shape of a callback's body. */
  body: ['pascal', 'camel', 'snake', 'unknown', 'without_time'],
  /** One callback per snapshot, or one for each object that it is stored as. */
  callbacks_per_shot: ['one', 'two'],
  /** What the `NextStartTime` of a list names. */
  next_start_time: ['first_left_out', 'last_returned'],
  /** Whether the range of a list includes its ends. */
  list_ends: ['with', 'without'],
  /** What is said of the end of a push that runs. */
  stop_time: ['absent', 'empty'],
  /** Whether numbers and booleans of a list are such, or texts. */
  list_numbers: ['number', 'text'],
} as const

type Choices = typeof CHOICES
type ChoiceName = keyof Choices

/** The value of every switch. Lags are durations such as `2s` or `500ms`. */
export type Switches = { [Name in ChoiceName]: Choices[Name][number] } & {
  /** How long until a write shows. */
  describe_lag: string
  /** How long until a shot is listed. */
  list_lag: string
  /** The share of callbacks that are never sent, from 0 to 1. */
  lose_callbacks: number
}

const CHOICE_NAMES = Object.keys(CHOICES) as ChoiceName[]
const DURATION_SWITCHES = ['describe_lag', 'list_lag'] as const
const SHARE_SWITCH = 'lose_callbacks'
const NO_LAG = '0s'

/** Every switch with the values that it takes, for error messages and help texts. */
export const SWITCH_VALUES: Readonly<Record<keyof Switches, readonly string[]>> = {
  ...CHOICES,
  describe_lag: [NO_LAG, 'any duration such as 500ms or 2s'],
  list_lag: [NO_LAG, 'any duration such as 500ms or 2s'],
  [SHARE_SWITCH]: ['0', 'any number up to 1'],
}

/** All switches at their defaults. */
export function defaultSwitches(): Switches {
  const first = CHOICE_NAMES.map((name) => [name, CHOICES[name][0]] as const)
  const rest = { describe_lag: NO_LAG, list_lag: NO_LAG, [SHARE_SWITCH]: 0 }
  return { ...Object.fromEntries(first), ...rest } as Switches
}

/** Checks `{name: value}` as it came from outside; the problem names what is allowed. */
export function readSwitches(input: unknown): Checked<Partial<Switches>> {
  if (!isObject(input)) return invalid('switches must be an object of {name: value}')
  for (const [name, value] of Object.entries(input)) {
    if (!Object.hasOwn(SWITCH_VALUES, name)) {
      const names = Object.keys(SWITCH_VALUES).join(', ')
      return invalid(`unknown switch "${name}"; the switches are ${names}`)
    }
    if (!isAllowed(name as keyof Switches, value)) {
      const values = SWITCH_VALUES[name as keyof Switches].join(', ')
      return invalid(`switch "${name}" cannot be ${JSON.stringify(value)}; it takes ${values}`)
    }
  }
  return valid(input as Partial<Switches>)
}

function isAllowed(name: keyof Switches, value: unknown): boolean {
  if (name === SHARE_SWITCH) return typeof value === 'number' && value >= 0 && value <= 1
  if (typeof value !== 'string') return false
  if (isDuration(name)) return parseDuration(value) !== undefined
  return (CHOICES[name] as readonly string[]).includes(value)
}

function isDuration(name: keyof Switches): name is (typeof DURATION_SWITCHES)[number] {
  return (DURATION_SWITCHES as readonly string[]).includes(name)
}
