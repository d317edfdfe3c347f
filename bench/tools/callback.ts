// The callbacks of the bench: each has a body of its own, as each snapshot has. The fields are
// invented: the provider does not publish them.

export const DOMAIN = 'play.example.com'

/** The n-th body, about 270 bytes. */
export function bodyOf(n: number, capturedAt = Date.now()): Uint8Array {
  return Buffer.from(
    JSON.stringify({
      DomainName: DOMAIN,
      AppName: 'live',
      StreamName: `stream-${n % 500}`,
      OssEndpoint: 'oss-cn-shanghai.example.com',
      OssBucket: 'snapshots',
      OssObject: `live/stream-${n % 500}/${n}.jpg`,
      CreateTimestamp: capturedAt,
      IsOverlay: false,
    }),
  )
}
