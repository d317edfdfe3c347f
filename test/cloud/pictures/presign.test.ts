import { expect, test } from 'vitest'
import { presign } from '../../../src/cloud/pictures/presign.ts'

/**
 * From the signer tests of the provider's SDKs, which all have them: `TestV4AuthQuery` and
 * `TestV4AuthQueryToken` of alibabacloud-oss-go-sdk-v2, `SignerV4Presign` of aliyun-oss-cpp-sdk.
 */
const VECTORS = [
  {
    name: 'an access key',
    credentials: { accessKeyId: 'ak', accessKeySecret: 'sk' },
    signedAt: 1_702_781_677_000,
    date: '20231217T025437Z',
    signature: 'a39966c61718be0d5b14e668088b3fa07601033f6518ac7b523100014269c0fe',
  },
  {
    name: 'an STS token',
    credentials: { accessKeyId: 'ak', accessKeySecret: 'sk', securityToken: 'token' },
    signedAt: 1_702_785_388_000,
    date: '20231217T035628Z',
    signature: '3817ac9d206cd6dfc90f1c09c00be45005602e55898f26f5ddb06d7892e1f8b5',
  },
]

test.each(VECTORS)(
  'signs as the SDKs do, with $name',
  ({ credentials, signedAt, date, signature }) => {
    const signed = presign(
      {
        method: 'PUT',
        host: 'bucket.oss-cn-hangzhou.aliyuncs.com',
        bucket: 'bucket',
        region: 'cn-hangzhou',
        object: '1234+-/123/1.txt',
        query: {
          param1: 'value1',
          '+param1': 'value3',
          '|param1': 'value4',
          '+param2': '',
          '|param2': '',
          param2: '',
        },
        headers: { 'x-oss-head1': 'value', 'content-type': 'application/octet-stream' },
        signedAt,
        expiresSeconds: 599,
      },
      credentials,
    )
    const { origin, pathname, searchParams } = new URL(signed)
    expect(`${origin}${pathname}`).toBe(
      'https://bucket.oss-cn-hangzhou.aliyuncs.com/1234%2B-/123/1.txt',
    )
    expect(searchParams.get('x-oss-date')).toBe(date)
    expect(searchParams.get('x-oss-credential')).toBe(
      'ak/20231217/cn-hangzhou/oss/aliyun_v4_request',
    )
    expect(searchParams.get('x-oss-security-token')).toBe(credentials.securityToken ?? null)
    expect(searchParams.get('x-oss-signature')).toBe(signature)
  },
)
