// What a parameter's value must look like, whichever operation carries it. Documented limits
// only; a rule returns the complaint that goes into `MalformedParam`.

export type Rule = (value: string) => boolean

/** Documented: "The URL must be valid and cannot exceed 500 characters." */
const MAX_URL_CHARS = 500
/** Documented: 16 to 32 characters, letters and digits. */
const AUTH_KEY = /^[A-Za-z0-9]{16,32}$/
const SEQUENCE_PLACEHOLDER = /\{(?:UnixTimestamp|Sequence)\}/

const isYesOrNo: Rule = (value) => value === 'yes' || value === 'no'
const isAuthKey: Rule = (value) => AUTH_KEY.test(value)
const isOrder: Rule = (value) => value === 'asc' || value === 'desc'

const RULES: Readonly<Record<string, Rule>> = {
  NotifyUrl: isCallbackUrl,
  NotifyReqAuth: isYesOrNo,
  NotifyAuthKey: isAuthKey,
  CallbackReqAuth: isYesOrNo,
  CallbackAuthKey: isAuthKey,
  Callback: isCallbackUrl,
  TimeInterval: isWholeBetween(5, 3600),
  SequenceOssObject: (value) => SEQUENCE_PLACEHOLDER.test(value),
  PageNum: isWholeBetween(1, Number.MAX_SAFE_INTEGER),
  PageSize: isWholeBetween(5, 30),
  Limit: isWholeBetween(1, 100),
  Order: isOrder,
}

/** The first parameter whose value breaks its rule, if any. */
export function findMalformed(
  params: Readonly<Record<string, string>>,
  ownRules: Readonly<Record<string, Rule>> = {},
): string | undefined {
  const rules = { ...RULES, ...ownRules }
  return Object.keys(params).find((name) => {
    const value = params[name]
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined
    return rule && value ? !rule(value) : false
  })
}

function isCallbackUrl(value: string): boolean {
  if (value.length > MAX_URL_CHARS) return false
  const url = URL.parse(value)
  return url?.protocol === 'http:' || url?.protocol === 'https:'
}

/** A rule for whole numbers. */
export function isWholeBetween(min: number, max: number): Rule {
  return (value) => /^\d+$/.test(value) && Number(value) >= min && Number(value) <= max
}
