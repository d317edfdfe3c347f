import { describe, expect, test } from 'vitest'
import { createCredentials } from '../../src/cloud/credentials.ts'

describe('createCredentials', () => {
  const good = { accessKeyId: 'id', accessKeySecret: 'secret', securityToken: 'token' }

  test('asks the chain for every call, and builds it anew after a failure', async () => {
    let built = 0
    const answers = [new Error('no metadata'), { accessKeyId: '', accessKeySecret: '' }, good, good]
    const credentials = createCredentials(() => {
      built += 1
      return {
        async getCredentials() {
          const answer = answers.shift()
          if (answer instanceof Error || answer === undefined) throw answer
          return answer
        },
      }
    })
    for (let n = 0; n < 2; n++) {
      await expect(credentials.getCredentials()).rejects.toMatchObject({
        code: 'api_credentials',
        message: expect.stringContaining('ALIBABA_CLOUD_ACCESS_KEY_ID'),
      })
    }
    expect(await credentials.getCredentials()).toEqual(good)
    expect(await credentials.getCredentials()).toEqual(good)
    expect(built).toBe(3)
    credentials.renew?.()
    answers.push(good)
    expect(await credentials.getCredentials()).toEqual(good)
    expect(built).toBe(4)
  })
})
