// The API as an OpenAPI 3.1 document, made of the schemas that check the requests: OpenAPI 3.1 takes
// JSON Schema 2020-12 as it is, which zod writes by itself.
import { z } from 'zod'
import { PROBLEM_TYPE } from '../problem.ts'
import type { Operation } from './endpoint.ts'
import { problemForm } from './schemas.ts'

type Json = Record<string, unknown>

const COMMON_PROBLEMS = {
  400: 'A parameter is unknown or malformed: all of them are named',
  401: 'No bearer token or cookie, or a bad one',
  403: 'No token is configured, and the request is not from this machine',
  503: 'The store does not answer',
}

/** The document that describes these operations. */
export function openApiDocument(operations: readonly Operation[], version: string): Json {
  const schemas: Json = {}
  const paths: Json = {}
  for (const operation of operations) paths[operation.path] = { get: describe(operation, schemas) }
  return {
    openapi: '3.1.0',
    info: {
      title: 'snaphook',
      version,
      description: 'Snapshot events of ApsaraVideo Live, now and back in time.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }, { cookie: [] }],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        cookie: { type: 'apiKey', in: 'cookie', name: 'snaphook_session' },
      },
      schemas,
    },
  }
}

function describe(operation: Operation, schemas: Json): Json {
  const { path, summary, description, query, inPath = {}, answer, problems = {} } = operation
  const failures = { ...COMMON_PROBLEMS, ...problems }
  return {
    operationId: path
      .replaceAll(/\W+(\w)/g, (_, first: string) => first.toUpperCase())
      .replace(/\W/g, ''),
    summary,
    ...(description && { description }),
    parameters: [
      ...Object.entries(inPath).map(([name, schema]) => ({
        ...parameter(name, schema, 'path'),
        required: true,
      })),
      ...Object.entries(query.shape).map(([name, schema]) => parameter(name, schema, 'query')),
    ],
    responses: {
      [answer.status]: {
        description: answer.description,
        ...(answer.headers && {
          headers: Object.fromEntries(
            Object.entries(answer.headers).map(([name, text]) => [
              name,
              { description: text, schema: { type: 'string' } },
            ]),
          ),
        }),
        ...(answer.contentType && {
          content: {
            [answer.contentType]: {
              schema: answer.form ? reference(answer.form, schemas) : { type: 'string' },
            },
          },
        }),
      },
      ...Object.fromEntries(
        Object.entries(failures).map(([status, text]) => [
          status,
          {
            description: text,
            content: { [PROBLEM_TYPE]: { schema: reference(problemForm, schemas) } },
          },
        ]),
      ),
    },
  }
}

function parameter(name: string, type: unknown, place: 'path' | 'query'): Json {
  const { $schema: _, description, ...schema } = z.toJSONSchema(type as z.ZodType) as Json
  return { name, in: place, ...(description ? { description } : {}), schema }
}

/** Puts a named form, and those within it, among the schemas of the document. */
function reference(form: z.ZodType, schemas: Json): Json {
  const text = JSON.stringify(z.toJSONSchema(form))
  const { $ref, $defs } = JSON.parse(text.replaceAll('#/$defs/', '#/components/schemas/')) as Json
  if (typeof $ref !== 'string') throw new TypeError('a form of an answer needs an id')
  for (const [name, { id: _, ...each }] of Object.entries($defs as Record<string, Json>)) {
    schemas[name] = each
  }
  return { $ref }
}
