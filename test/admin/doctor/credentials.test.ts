import { expect, test } from 'vitest'
import { checkCredentials } from '../../../src/admin/doctor/credentials.ts'
import { createCredentials } from '../../../src/cloud/credentials.ts'
import type { Credentials } from '../../../src/ports/credentials.ts'

const KEY = { accessKeyId: 'idThatIsNotShown', accessKeySecret: 'secretThatIsNotShown' }

test.each<[string, Credentials, RegExp]>([
  ['environment', { ...KEY, providerName: 'default/env' }, /an access key.*environment/],
  [
    'a role of the machine',
    { ...KEY, securityToken: 'tokenThatIsNotShown', providerName: 'default/ecs_ram_role' },
    /a temporary token.*RAM role/,
  ],
  ['a profile', { ...KEY, providerName: 'default/profile/static_ak' }, /credentials file/],
  ['somewhere', KEY, /the chain/],
])('%s', async (_, given, detail) => {
  const found = await checkCredentials({ getCredentials: async () => given })
  expect(found).toMatchObject({ result: 'ok', next: null })
  expect(found.detail).toMatch(detail)
  expect(JSON.stringify(found)).not.toContain('NotShown')
})

test('none: a problem that says what to set', async () => {
  const empty = { getCredentials: async () => ({ accessKeyId: '', accessKeySecret: '' }) }
  const found = await checkCredentials(createCredentials(() => empty))
  expect(found.result).toBe('problem')
  expect(found.detail).toContain('ALIBABA_CLOUD_ACCESS_KEY_ID')
})
