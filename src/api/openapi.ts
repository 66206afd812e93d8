/**
 * The document that describes the API, made from the schemas that check it.
 *
 * Sources: OpenAPI 3.1.1, JSON Schema 2020-12, RFC 9457.
 */
import { z } from 'zod'
import type { Operation } from './operation.ts'
import { PROBLEMS, type ProblemName } from './problem.ts'

type JsonObject = Readonly<Record<string, unknown>>

/** What every operation can answer. */
const GENERAL_PROBLEMS: readonly ProblemName[] = ['bad-parameter', 'wrong-host', 'too-many-requests', 'internal']
const READING_PROBLEMS: readonly ProblemName[] = ['token-needed']
const ORDER_PROBLEMS: readonly ProblemName[] = [
  'token-needed',
  'not-allowed',
  'bad-body',
  'body-too-slow',
  'body-too-large',
  'unsupported-type',
]

const PROBLEM_SCHEMA: JsonObject = {
  type: 'object',
  properties: {
    type: { type: 'string', description: 'Path of a page that explains it; stable.' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'One sentence about this request.' },
  },
  required: ['type', 'title', 'status', 'detail'],
  additionalProperties: false,
}

/** What is no operation: streams, and text or status for machines that watch. */
const OTHER_PATHS: Readonly<Record<string, Readonly<Record<string, JsonObject>>>> = {
  '/api/v1/events': {
    get: describeOther(
      'streamEvents',
      'Server-Sent Events about runs, incidents and the schedule',
      'text/event-stream',
      {
        503: 'too-many-streams',
      },
    ),
  },
  '/metrics': { get: describeOther('getMetrics', 'Metrics for Prometheus', 'text/plain', {}) },
  '/healthz': { get: describeOther('getHealthz', 'Whether the process answers', 'application/json', {}) },
  '/readyz': {
    get: describeOther('getReadyz', 'Whether it can do its work, and why not', 'application/json', {
      503: 'not ready',
    }),
  },
}

/** Makes the document. */
export function createOpenApiDocument(operations: readonly Operation[], version: string): JsonObject {
  const components: Record<string, unknown> = { Problem: PROBLEM_SCHEMA }
  const paths: Record<string, Record<string, unknown>> = {}
  for (const operation of operations) {
    const methods = (paths[operation.path] ??= {})
    methods[operation.method.toLowerCase()] = describeOperation(operation, components)
  }
  Object.assign(paths, OTHER_PATHS)
  return {
    openapi: '3.1.1',
    info: {
      title: 'Candor',
      version,
      description:
        'Runs, exits, verdicts and their evidence. Errors are problems (RFC 9457). What belongs to a closed run, asked for by its id, never changes. GET is answered for HEAD as well.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: {
      schemas: components,
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'Made by "candor tokens add NAME".' } },
    },
  }
}

function describeOperation(operation: Operation, components: Record<string, unknown>): JsonObject {
  const isOrder = operation.method === 'POST'
  const refusals = [
    ...GENERAL_PROBLEMS,
    ...(isOrder ? ORDER_PROBLEMS : READING_PROBLEMS),
    ...(operation.pathSchema === undefined ? [] : (['not-found'] as const)),
    ...(operation.problems ?? []),
  ]
  const responses: Record<string, unknown> = {
    [operation.status]: {
      description: operation.status === 202 ? 'Taken; Location says where it is.' : 'Done.',
      content: { 'application/json': { schema: toJsonSchema(operation.answerSchema, components, 'output') } },
      ...(operation.status === 202 ? { headers: { Location: { schema: { type: 'string' } } } } : {}),
    },
  }
  for (const [status, names] of Map.groupBy(new Set(refusals), (name) => PROBLEMS[name].status)) {
    responses[status] = {
      description: names.map((name) => `${name}: ${PROBLEMS[name].title}`).join('; '),
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    }
  }
  return {
    operationId: operation.id,
    summary: operation.summary,
    tags: [operation.path.split('/')[3] ?? 'compatible'],
    parameters: [
      ...describeParameters(operation.pathSchema, 'path', components),
      ...describeParameters(operation.querySchema, 'query', components),
    ],
    ...(operation.bodySchema === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: toJsonSchema(operation.bodySchema, components, 'input') } },
          },
        }),
    responses,
    security: isOrder ? [{ token: [] }] : [{}, { token: [] }],
  }
}

function describeOther(id: string, summary: string, type: string, more: Readonly<Record<number, string>>): JsonObject {
  const others = Object.entries(more).map(([status, description]) => [status, { description }] as const)
  const responses = { 200: { description: 'Done.', content: { [type]: {} } }, ...Object.fromEntries(others) }
  return { operationId: id, summary, tags: ['machines'], parameters: [], responses, security: [{}, { token: [] }] }
}

function describeParameters(
  schema: z.ZodObject | undefined,
  place: 'path' | 'query',
  components: Record<string, unknown>,
): readonly JsonObject[] {
  return Object.entries(schema?.shape ?? {}).map(([name, value]) => {
    const described = toJsonSchema(value as z.ZodType, components, 'output')
    const { description, ...plain } = described
    return {
      name,
      in: place,
      required: place === 'path',
      ...(description === undefined ? {} : { description }),
      schema: plain,
    }
  })
}

/** Schemas that have a name go to `components` and are referred to. */
function toJsonSchema(schema: z.ZodType, components: Record<string, unknown>, io: 'input' | 'output'): JsonObject {
  const text = JSON.stringify(z.toJSONSchema(schema, { io })).replaceAll('"#/$defs/', '"#/components/schemas/')
  const { $schema: _schema, $defs: definitions, ...plain } = JSON.parse(text) as Record<string, unknown>
  for (const [name, definition] of Object.entries((definitions ?? {}) as JsonObject)) {
    const { id: _id, $id: _uri, ...described } = definition as Record<string, unknown>
    components[name] = described
  }
  delete plain['id']
  return plain
}
