// How the service fares: what `/readyz` says of registrations, sinks and audits, by itself.
import type { AuditView, RegistrationView, SinkView } from '../../ports/views.ts'
import { type Endpoint, endpoint, json, NO_PARAMETERS } from './endpoint.ts'
import { auditList, registrationList, sinkList } from './schemas.ts'

/** The endpoints of registrations, sinks and audits. */
export function stateEndpoints(deps: {
  registrations(): readonly RegistrationView[]
  sinks(): Promise<readonly SinkView[]>
  audits(): readonly AuditView[]
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
    endpoint(
      {
        path: '/v1/audit',
        summary: "How far each domain is compared with the provider's list of shots",
        query: NO_PARAMETERS,
        answer: {
          status: 200,
          description: 'The audits of all domains',
          contentType: 'application/json',
          form: auditList,
        },
      },
      () => json({ audits: deps.audits() }),
    ),
  ]
}
