// Of delivery.
import { DELIVERY_OUTCOMES, SINK_STATES } from '../../core/delivery/outcome.ts'
import { counter, gauge, oneOf, SINKS } from '../definition.ts'

export const SINK_METRICS = {
  lag: gauge('snaphook_sink_lag_events', 'Events that a sink has not had yet.', { sink: SINKS }),
  deliveries: counter(
    'snaphook_sink_deliveries_total',
    'Events of attempts to deliver, by how they ended.',
    { sink: SINKS, outcome: DELIVERY_OUTCOMES },
  ),
  sinkState: oneOf(
    'snaphook_sink_state',
    '1 for the state of a sink, 0 for the others.',
    { sink: SINKS },
    { of: 'state', values: SINK_STATES, initial: 'ok' },
  ),
  deadLetters: gauge('snaphook_dead_letters', 'Events that a sink has rejected for good.', {
    sink: SINKS,
  }),
}
