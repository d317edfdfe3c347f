// Whether a domain takes snapshots at all, and whether an app sends its callbacks past us.
import { showUrl } from '../../core/registration/notify-url.ts'
import { describeError, faultCode } from '../../errors.ts'
import type { LiveInspection } from '../../ports/live-api.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, warning, problem, notChecked } = findingsOf('snapshots')

export async function checkSnapshots(
  domain: string,
  inspection: LiveInspection,
  signal: AbortSignal,
): Promise<Finding[]> {
  try {
    const configs = await inspection.snapshotConfigs(domain, signal)
    if (configs.length === 0) {
      return [
        problem(
          domain,
          'has no snapshot configuration: no snapshot is ever taken',
          'add one in the console (AddLiveAppSnapshotConfig), then push the streams again',
        ),
      ]
    }
    const bypasses = configs.flatMap(({ app, callbackUrl }) =>
      callbackUrl === null ? [] : [bypass(domain, app, callbackUrl)],
    )
    const apps = configs.map(({ app }) => app).join(', ')
    return bypasses.length > 0 ? bypasses : [ok(domain, `snapshots are taken for ${apps}`)]
  } catch (error) {
    if (faultCode(error) !== 'api_denied') return [notChecked(domain, describeError(error), null)]
    return [notChecked(domain, 'not allowed to look', 'attach deploy/ram-policy-doctor.json')]
  }
}

function bypass(domain: string, app: string, callbackUrl: string): Finding {
  return warning(
    domain,
    `app ${app} has a callback of its own, to ${showUrl(callbackUrl)}: it may go there and not here`,
    "remove Callback from that app's snapshot configuration",
  )
}
