// How the service fares: what `/readyz` says of registrations and sinks, by itself.
import type { RegistrationView, SinkView } from '../../ports/views.ts'
import { type Endpoint, endpoint, json, NO_PARAMETERS } from './endpoint.ts'
import { registrationList, sinkList } from './schemas.ts'

/** The endpoints of registrations and sinks. */
export function stateEndpoints(deps: {
  registrations(): readonly RegistrationView[]
  sinks(): Promise<readonly SinkView[]>
}): Endpoint[] {
  return [
    endpoint(
      {
        path: '/v1/registrations',
        summary: 'The registration of each domain',
        query: NO_PARAMETERS,
        answer: {
          status: 200,
          description: 'All registrations',
          contentType: 'application/json',
          form: registrationList,
        },
      },
      () => json({ registrations: deps.registrations() }),
    ),
    endpoint(
      {
        path: '/v1/sinks',
        summary: 'How far each sink is',
        query: NO_PARAMETERS,
        answer: {
          status: 200,
          description: 'All sinks',
          contentType: 'application/json',
          form: sinkList,
        },
      },
      async () => json({ sinks: await deps.sinks() }),
    ),
  ]
}
