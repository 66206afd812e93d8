/**
 * Proves to a Tor process that we may control it, and, with SAFECOOKIE, that it is the process which wrote the cookie.
 *
 * Invariant: neither cookie nor password goes into a log, an error or an argument list.
 *
 * Sources: Tor control-spec sections 3.5 (AUTHENTICATE), 3.21 (PROTOCOLINFO), 3.24 (AUTHCHALLENGE).
 */
import { RunError } from '../core/config-error.ts'
import { FileError, type Files } from '../core/files.ts'
import type { ControlClient } from './control-client.ts'
import { parseControlFields, quoteControlValue } from './control-parser.ts'

const COOKIE_OCTETS = 32
const NONCE_OCTETS = 32
const SERVER_KEY = 'Tor safe cookie authentication server-to-controller hash'
const CLIENT_KEY = 'Tor safe cookie authentication controller-to-server hash'

/** What Tor says about itself before authentication. */
export interface ProtocolInfo {
  /** `NULL`, `COOKIE`, `SAFECOOKIE`, `HASHEDPASSWORD`. */
  readonly methods: ReadonlySet<string>
  readonly cookieFile: string | null
  /** For example `0.4.9.11`. */
  readonly version: string
}

/** Asks which ways of authentication Tor takes. @throws {ControlError} */
export async function readProtocolInfo(client: ControlClient): Promise<ProtocolInfo> {
  const reply = await client.expectOk('PROTOCOLINFO 1')
  let methods = new Set<string>()
  let cookieFile: string | null = null
  let version = ''
  for (const { text } of reply.lines) {
    const { words, named } = parseControlFields(text)
    if (words[0] === 'AUTH') {
      methods = new Set((named.get('METHODS') ?? '').split(','))
      cookieFile = named.get('COOKIEFILE') ?? null
    } else if (words[0] === 'VERSION') {
      version = (named.get('Tor') ?? '').split(' ', 1)[0] ?? ''
    }
  }
  return { methods, cookieFile, version }
}

/**
 * Authenticates.
 *
 * @param password - For HASHEDPASSWORD; `null` when there is none.
 * @throws {RunError} When no way is open, or the process on the other side does not know its own cookie.
 * @throws {ControlError} When Tor refuses.
 */
export async function authenticate(
  client: ControlClient,
  files: Files,
  info: ProtocolInfo,
  password: string | null,
): Promise<void> {
  if (info.methods.has('NULL')) {
    await client.expectOk('AUTHENTICATE')
    return
  }
  const cookie = await readCookie(files, info)
  if (cookie instanceof Uint8Array) {
    const proof = info.methods.has('SAFECOOKIE') ? await answerChallenge(client, cookie) : formatHex(cookie)
    await client.expectOk(`AUTHENTICATE ${proof}`)
    return
  }
  if (password !== null && info.methods.has('HASHEDPASSWORD')) {
    await client.expectOk(`AUTHENTICATE ${quoteControlValue(password)}`)
    return
  }
  throw new RunError(
    `Tor's control port asks for authentication (${[...info.methods].join(', ')})${cookie === null ? '' : ` and ${cookie}`}`,
    'let this user read the cookie file (on Debian: join the group debian-tor), or give the control password',
  )
}

/** @returns The cookie, why it cannot be read, or `null` when Tor offers none. */
async function readCookie(files: Files, info: ProtocolInfo): Promise<Uint8Array | string | null> {
  if (info.cookieFile === null || !(info.methods.has('SAFECOOKIE') || info.methods.has('COOKIE'))) return null
  try {
    const cookie = await files.read(info.cookieFile, COOKIE_OCTETS)
    return cookie.length === COOKIE_OCTETS ? cookie : `the cookie file ${info.cookieFile} has the wrong length`
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    return `the cookie file ${info.cookieFile} cannot be read (${error.code})`
  }
}

async function answerChallenge(client: ControlClient, cookie: Uint8Array): Promise<string> {
  const clientNonce = crypto.getRandomValues(new Uint8Array(NONCE_OCTETS))
  const reply = await client.expectOk(`AUTHCHALLENGE SAFECOOKIE ${formatHex(clientNonce)}`)
  const { named } = parseControlFields(reply.lines[0]?.text ?? '')
  const serverHash = named.get('SERVERHASH') ?? ''
  const serverNonce = parseHex(named.get('SERVERNONCE') ?? '')
  if (serverNonce === undefined) throw new RunError('Tor answered the authentication challenge in a form unknown to us')
  const message = new Uint8Array([...cookie, ...clientNonce, ...serverNonce])
  if (formatHex(await hmac(SERVER_KEY, message)) !== serverHash.toUpperCase()) {
    throw new RunError(
      'the process at the control port does not know the cookie of the Tor that wrote it; it is another program',
    )
  }
  return formatHex(await hmac(CLIENT_KEY, message))
}

async function hmac(key: string, message: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const imported = await crypto.subtle.importKey('raw', new TextEncoder().encode(key), algorithm, false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, message))
}

function formatHex(octets: Uint8Array): string {
  return Array.from(octets, (octet) => octet.toString(16).padStart(2, '0'))
    .join('')
    .toUpperCase()
}

function parseHex(text: string): Uint8Array | undefined {
  if (!/^(?:[\da-f]{2}){1,256}$/i.test(text)) return undefined
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(i * 2, i * 2 + 2), 16))
}
