/** Requests as no browser sends them, octet by octet, and what comes back. */
import { connect } from 'node:net'

/** What a server said; status 0 when it closed the connection without a word. */
export interface RawAnswer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

const ANSWER_CHARS_MAX = 1_000_000

/**
 * Sends octets over a connection of their own and reads until the server closes it.
 *
 * @param octets - One octet per character (latin1).
 */
export function sendRaw(port: number, octets: string, timeoutMs = 30_000): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    const end = (): void => {
      socket.destroy()
      resolve(parseAnswer(text))
    }
    socket.setTimeout(timeoutMs, () => {
      socket.destroy()
      reject(new Error(`no answer to ${JSON.stringify(octets.slice(0, 200))}`))
    })
    socket.setEncoding('latin1')
    socket.on('data', (part: string) => {
      if (text.length < ANSWER_CHARS_MAX) text += part
    })
    // A server that has said what it thinks of a request may close while we still write.
    socket.on('error', end)
    socket.on('close', end)
    socket.write(octets, 'latin1')
  })
}

/** Writes a request with `Connection: close`. */
export function formatRequest(
  method: string,
  target: string,
  headers: readonly (readonly [string, string])[] = [],
  body = '',
): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const host = headers.some(([name]) => name.toLowerCase() === 'host') ? '' : 'Host: 127.0.0.1\r\n'
  const length = body === '' ? '' : `Content-Length: ${body.length}\r\n`
  return `${method} ${target} HTTP/1.1\r\n${host}Connection: close\r\n${length}${lines}\r\n${body}`
}

function parseAnswer(received: string): RawAnswer {
  const text = received.replace(/^(?:HTTP\/1\.1 100 [^\r]*\r\n\r\n)+/, '')
  const end = text.indexOf('\r\n\r\n')
  const [first = '', ...lines] = text.slice(0, Math.max(0, end)).split('\r\n')
  const headers = lines.map((line) => {
    const at = line.indexOf(':')
    return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()] as const
  })
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1] ?? 0),
    headers: new Map(headers),
    body: end < 0 ? '' : text.slice(end + 4),
  }
}
