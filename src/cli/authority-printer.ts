/** Prints the authority's records on stdout: a short line each on a terminal, JSON Lines elsewhere. */
import type { AuthoritySink } from '../authority/authority-sink.ts'
import type { AuthorityQuery } from '../model/authority-query.ts'
import type { CliContext } from './cli-context.ts'

/** A reader of stdout that is slower than the queries loses the newest of them. */
const QUEUE_MAX = 10_000

/** A printer that is running. */
export interface AuthorityPrinter extends AuthoritySink {
  /** Records that were not printed. */
  dropped(): number
  /** Prints what waits. @throws {OutputClosedError} When nobody reads. */
  close(): Promise<void>
  /** Rejects when nobody reads stdout any more; else resolves at the end. */
  readonly ended: Promise<void>
}

/** Starts printing. */
export function startAuthorityPrinter(context: CliContext): AuthorityPrinter {
  const { stdout } = context
  const queue: AuthorityQuery[] = []
  const ended = Promise.withResolvers<void>()
  // Whoever waits for `ended` sees the rejection; nobody has to.
  ended.promise.catch(() => {})
  let dropped = 0
  let isClosed = false
  let wake = Promise.withResolvers<void>()
  const print = async (): Promise<void> => {
    for (;;) {
      const batch = queue.splice(0)
      if (batch.length > 0) {
        await stdout.write(batch.map((query) => formatRecord(query, stdout.isTerminal)).join(''))
      } else if (isClosed) return
      else {
        await wake.promise
        wake = Promise.withResolvers<void>()
      }
    }
  }
  print().then(ended.resolve, ended.reject)
  return {
    record: (query) => {
      if (queue.length >= QUEUE_MAX) dropped += 1
      else queue.push(query)
      wake.resolve()
    },
    dropped: () => dropped,
    close: () => {
      isClosed = true
      wake.resolve()
      return ended.promise
    },
    ended: ended.promise,
  }
}

function formatRecord(query: AuthorityQuery, isTerminal: boolean): string {
  if (!isTerminal) return `${JSON.stringify(query)}\n`
  const time = query.timestamp.slice(11, 23)
  const { source_address: source, transport, query_type: type, query_name: name, outcome } = query
  return `${time}  ${source.padEnd(15)}  ${transport}  ${type.padEnd(5)} ${name}  ${outcome}\n`
}
