// The provider's limit on calls: so many per second and operation, the rest are refused.

/** Documented for the snapshot configuration operations. */
const MAX_CALLS_PER_WINDOW = 30
/** Documented for others. */
const OTHER_LIMITS: Readonly<Record<string, number>> = {
  DescribeLiveSnapshotConfig: 100,
  DescribeLiveStreamSnapshotInfo: 100,
  DescribeLiveStreamsPublishList: 3,
}
const WINDOW_MS = 1000

/** Says whether one more call of an operation is within the limit, and counts it if so. */
export function createThrottle(now: () => number): (operation: string) => boolean {
  const admitted = new Map<string, number[]>()
  return (operation) => {
    const recent = (admitted.get(operation) ?? []).filter((at) => now() - at < WINDOW_MS)
    const hasRoom = recent.length < (OTHER_LIMITS[operation] ?? MAX_CALLS_PER_WINDOW)
    admitted.set(operation, hasRoom ? [...recent, now()] : recent)
    return hasRoom
  }
}
