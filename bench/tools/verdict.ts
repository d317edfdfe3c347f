// Whether a figure is what it is to be.

/** `what`, and whether that is good enough; a bench that falls short in one exits 1. */
export function verdict(isMet: boolean, what: string): string {
  if (!isMet) process.exitCode = 1
  return `${what}: ${isMet ? 'passes' : 'FALLS SHORT'}`
}
