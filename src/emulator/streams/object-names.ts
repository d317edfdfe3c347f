// Where a snapshot is stored: the object templates of an app, and the names made from them.
import type { AppSnapshotConfig } from '../configurations.ts'

export type ObjectTemplate = {
  pattern: string
  endpoint: string
  bucket: string
  isOverlay: boolean
}

/** What the placeholders of a template stand for. */
export type Moment = { app: string; stream: string; at: number; sequence: number }

/** The templates of a configuration: the sequence first, then the one that is overwritten. */
export function templatesOf(config: AppSnapshotConfig | undefined): ObjectTemplate[] {
  if (!config) return []
  const { OssEndpoint: endpoint, OssBucket: bucket } = config
  return [
    { pattern: config.SequenceOssObject, endpoint, bucket, isOverlay: false },
    { pattern: config.OverwriteOssObject, endpoint, bucket, isOverlay: true },
  ].filter(({ pattern }) => pattern !== '')
}

/** The object's name for one moment; an unknown placeholder stays as it is. */
export function objectName(pattern: string, { app, stream, at, sequence }: Moment): string {
  const values = new Map([
    ['{AppName}', app],
    ['{StreamName}', stream],
    ['{UnixTimestamp}', String(Math.floor(at / 1000))],
    ['{Sequence}', String(sequence)],
  ])
  return pattern.replace(/\{\w+\}/g, (placeholder) => values.get(placeholder) ?? placeholder)
}
