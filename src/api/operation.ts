/**
 * What the API can be asked, as data: one operation has its address, the schemas that check what comes in and describe
 * what goes out, and what it does. The document `/openapi.json` and the routes are made from the same list.
 *
 * Invariant: a handler sees only what its schemas have let through.
 */
import type { z } from 'zod'
import type { ProblemName } from './problem.ts'

/** A value as handlers return it: records of `model/` are read-only. */
export type DeepReadonly<T> = T extends readonly (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T

/** The answer of an operation. */
export interface Handled<T> {
  readonly body: DeepReadonly<T>
  /** Path of what was made, for 202. */
  readonly location?: string
  /** Whether the answer will never change: about a run that is closed, asked for by its id. */
  readonly isClosed?: boolean
}

/** Why an operation was not done. */
export interface Refusal {
  readonly problem: ProblemName
  /** One sentence. */
  readonly detail: string
}

/** What an operation was asked. */
export interface OperationInput<P, Q, B> {
  readonly path: P
  readonly query: Q
  /** The query as it came; its names and values have passed the schema. */
  readonly parameters: URLSearchParams
  readonly body: B
}

/** What every operation has, whatever its types. */
export interface OperationFacts {
  /** For programs that are generated from the document: `listRuns`. */
  readonly id: string
  readonly method: 'GET' | 'POST'
  /** `/api/v1/runs/{run_id}`. */
  readonly path: string
  /** One sentence without full stop. */
  readonly summary: string
  readonly status: 200 | 202
  /** Problems beside those that every operation can have. */
  readonly problems?: readonly ProblemName[]
}

/** An operation whose types were checked where it was defined. */
export interface Operation extends OperationFacts {
  readonly pathSchema: z.ZodObject | undefined
  readonly querySchema: z.ZodObject | undefined
  readonly bodySchema: z.ZodType | undefined
  readonly answerSchema: z.ZodType
  /** @param input - What the schemas have let through. */
  handle(input: OperationInput<unknown, unknown, unknown>): Promise<Handled<unknown> | Refusal>
}

/** An operation with its types. */
export interface OperationDefinition<
  P extends z.ZodObject,
  Q extends z.ZodObject,
  B extends z.ZodType,
  A extends z.ZodType,
> extends OperationFacts {
  readonly pathParameters?: P
  readonly queryParameters?: Q
  readonly body?: B
  readonly answer: A
  handle(
    input: OperationInput<z.output<P>, z.output<Q>, z.output<B>>,
  ): Promise<Handled<z.output<A>> | Refusal> | Handled<z.output<A>> | Refusal
}

/** Defines an operation. */
export function defineOperation<
  P extends z.ZodObject = z.ZodObject<Readonly<Record<string, z.ZodType>>>,
  Q extends z.ZodObject = z.ZodObject<Readonly<Record<string, z.ZodType>>>,
  B extends z.ZodType = z.ZodUndefined,
  A extends z.ZodType = z.ZodType,
>(definition: OperationDefinition<P, Q, B, A>): Operation {
  const { pathParameters, queryParameters, body, answer, ...facts } = definition
  return {
    ...facts,
    pathSchema: pathParameters,
    querySchema: queryParameters,
    bodySchema: body,
    answerSchema: answer,
    // The schemas that gave the values are those that gave the types.
    handle: async (input) => definition.handle(input as OperationInput<z.output<P>, z.output<Q>, z.output<B>>),
  }
}

/** Says why an operation was not done. */
export function refuse(problem: ProblemName, detail: string): Refusal {
  return { problem, detail }
}
