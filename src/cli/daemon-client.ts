/**
 * What a command asks of the daemon that holds its data directory, over the socket there.
 *
 * Invariant: every request ends by its time-out, and answers are bounded.
 */
import { request as requestHttp } from 'node:http'
import { RunError } from '../core/config-error.ts'
import { joinPath, type Files } from '../core/files.ts'

/** Name of the socket in the data directory. */
export const SOCKET_NAME = 'candor.sock'

const TIMEOUT_MS = 10_000
/** As much as a report may have. */
const ANSWER_OCTETS_MAX = 256 * 1024 * 1024

/** An answer of the daemon. */
export interface DaemonAnswer {
  readonly status: number
  readonly text: string
}

/** A daemon that answers. */
export interface DaemonClient {
  /** @throws {RunError} When it does not answer, or not in time. */
  get(path: string): Promise<DaemonAnswer>
  /** @throws {RunError} When it does not answer, or not in time. */
  post(path: string, body?: unknown): Promise<DaemonAnswer>
}

/** @returns The daemon of a data directory; `undefined` when there is none that answers. */
export async function findDaemon(files: Files, dataDir: string): Promise<DaemonClient | undefined> {
  const path = joinPath(dataDir, SOCKET_NAME)
  if ((await files.info(path))?.kind !== 'socket') return undefined
  const client: DaemonClient = {
    get: (at) => exchange(path, 'GET', at, undefined),
    post: (at, body) => exchange(path, 'POST', at, body === undefined ? undefined : JSON.stringify(body)),
  }
  try {
    return (await client.get('/healthz')).status === 200 ? client : undefined
  } catch (error) {
    // A socket that nobody listens on was left by a kill.
    if (error instanceof RunError) return undefined
    throw error
  }
}

/** Reads an answer that must be there. @throws {RunError} With the detail of the problem, when it is one. */
export function readAnswer({ status, text }: DaemonAnswer): unknown {
  const value: unknown = parse(text)
  if (status >= 200 && status < 300) return value
  const { detail } = (typeof value === 'object' && value !== null ? value : {}) as { readonly detail?: unknown }
  throw new RunError(typeof detail === 'string' ? detail : `the daemon answers with status ${status}`)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new RunError('the daemon answers with something that is no JSON', '', { cause })
  }
}

function exchange(
  socketPath: string,
  method: 'GET' | 'POST',
  path: string,
  body: string | undefined,
): Promise<DaemonAnswer> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void => {
      reject(new RunError(`the daemon does not answer (${cause.message})`, 'look at its log', { cause }))
    }
    const headers = { host: 'localhost', ...(body === undefined ? {} : { 'content-type': 'application/json' }) }
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const sent = requestHttp({ socketPath, method, path, headers, signal }, (response) => {
      const chunks: Uint8Array[] = []
      let length = 0
      response.on('data', (chunk: Uint8Array) => {
        length += chunk.length
        if (length > ANSWER_OCTETS_MAX) response.destroy(new Error('the answer is too long'))
        else chunks.push(chunk)
      })
      response.on('error', fail)
      response.on('end', () => {
        const decoder = new TextDecoder()
        const text = chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join('') + decoder.decode()
        resolve({ status: response.statusCode ?? 0, text })
      })
    })
    sent.on('error', fail)
    sent.end(body)
  })
}
