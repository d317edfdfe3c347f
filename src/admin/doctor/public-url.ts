// Whether the provider can be expected to reach the public URL: its name, its certificate, and
// whether a request through it comes to a snaphook with our secret.
import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'
import type { Probed } from '../../core/probe.ts'
import { checkCertificate } from './certificate.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, warning, problem, notChecked } = findingsOf('public_url')

/** Where nobody outside gets: private, loopback, link-local, shared (RFC 1918, 6598, 4193 …). */
const INTERNAL = new BlockList()
for (const [network, prefix] of [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const) {
  INTERNAL.addSubnet(network, prefix, 'ipv4')
}
for (const [network, prefix] of [
  ['::1', 128],
  ['fc00::', 7],
  ['fe80::', 10],
] as const) {
  INTERNAL.addSubnet(network, prefix, 'ipv6')
}

export async function checkPublicUrl(
  publicUrl: string,
  deps: {
    probe: () => Promise<Probed>
    now: number
    signal: AbortSignal
    /** A proxy resolves the name, and a connection from here says nothing. */
    isProxied?: boolean
  },
): Promise<Finding[]> {
  const url = new URL(publicUrl)
  if (deps.isProxied) {
    const behind = notChecked(url.hostname, 'is reached by the proxy alone, as the probe does')
    return [behind, reached(publicUrl, await deps.probe())]
  }
  const [name, certificate, probed] = await Promise.all([
    checkName(url),
    url.protocol === 'https:' ? checkCertificate(url, deps) : plain(url),
    deps.probe(),
  ])
  return oneOfACause(name, certificate, reached(publicUrl, probed))
}

/** One fault is one finding: what can only fail with it waits for it. */
function oneOfACause(name: Finding, certificate: Finding[], probe: Finding): Finding[] {
  const all = [name, ...certificate, probe]
  if (probe.result === 'ok') return all
  if (name.result === 'problem') {
    return [name, ...[...certificate, probe].map((each) => waitsFor('the address', each))]
  }
  if (certificate.some(({ result }) => result === 'problem')) {
    return [name, ...certificate, waitsFor('the certificate', probe)]
  }
  return all.map((each) =>
    each.result === 'not_checked' ? waitsFor('a connection, as the probe does', each) : each,
  )
}

function waitsFor(cause: string, { subject }: Finding): Finding {
  return notChecked(subject, `waits for ${cause}`)
}

async function checkName({ hostname }: URL): Promise<Finding> {
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  try {
    const addresses = isIP(host) ? [host] : (await lookup(host, { all: true })).map(addressOf)
    const shown = addresses.join(', ')
    const internal = addresses.filter((address) =>
      INTERNAL.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4'),
    )
    if (internal.length < addresses.length) return ok(host, `has the address ${shown}`)
    const next = 'make sure that its public DNS record leads to an address on the internet'
    return warning(host, `resolves here to ${shown}, which the provider can't reach`, next)
  } catch {
    return problem(host, 'has no address', 'add a DNS record, or mend SNAPHOOK_PUBLIC_URL')
  }
}

function addressOf({ address }: { address: string }): string {
  return address
}

function plain({ host }: URL): Finding[] {
  return [warning(host, 'is plain http: callbacks can be read and copied', 'use https if it works')]
}

function reached(publicUrl: string, { result, detail }: Probed): Finding {
  if (result === 'reached') return ok(publicUrl, 'leads to a snaphook with this secret')
  const next = 'start the service, then check proxy, path and secret; behind NAT it may be well'
  return warning(publicUrl, `a probe through it did not arrive here: ${detail}`, next)
}
