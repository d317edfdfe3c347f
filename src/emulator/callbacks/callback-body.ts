// The JSON body of a snapshot callback. INVENTED: the real fields are not public. These are taken
// from the provider's documented relatives (the items of DescribeLiveStreamSnapshotInfo and the
// moderation callback), in every shape that a receiver may have to survive.

import { formatTime } from '../iso-time.ts'
import type { Shot } from '../streams/archive.ts'
import type { Switches } from '../switches.ts'

/** The body that announces one stored object, in the shape that the `body` switch names. */
export function callbackBody(shot: Shot, shape: Switches['body']): string {
  return JSON.stringify(shaped(shot, shape))
}

function shaped(shot: Shot, shape: Switches['body']): Record<string, unknown> {
  const timeless = {
    DomainName: shot.domain,
    AppName: shot.app,
    StreamName: shot.stream,
    OssEndpoint: shot.endpoint,
    OssBucket: shot.bucket,
    OssObject: shot.object,
    IsOverlay: shot.isOverlay,
  }
  const pascal = { ...timeless, CreateTime: formatTime(shot.at), CreateTimestamp: shot.at }
  switch (shape) {
    case 'pascal':
      return pascal
    case 'without_time':
      return timeless
    case 'camel':
      return rename(pascal, (name) => name.charAt(0).toLowerCase() + name.slice(1))
    case 'snake':
      return rename(pascal, (name) => name.replace(/(?<=.)[A-Z]/g, '_$&').toLowerCase())
    case 'unknown':
      return { v: 1, what: 'shot', ref: `oss://${shot.bucket}/${shot.object}`, n: shot.sequence }
  }
}

function rename(
  fields: Record<string, unknown>,
  spell: (name: string) => string,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [spell(name), value]))
}
