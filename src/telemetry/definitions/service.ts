// Of the service as a whole.
import { PROBE_RESULTS } from '../../core/probe.ts'
import { gauge, oneOf } from '../definition.ts'

export const SERVICE_METRICS = {
  probe: oneOf(
    'snaphook_public_url_probe',
    '1 for the result of the probe after the start.',
    {},
    { of: 'result', values: PROBE_RESULTS, initial: 'pending' },
  ),
  streamReaders: gauge('snaphook_event_stream_readers', 'Readers of /v1/events/stream.', {}),
  buildInfo: gauge(
    'snaphook_build_info',
    'Always 1; the label says which version runs.',
    { version: ({ version }) => [version] },
    1,
  ),
}
