/**
 * Checks AWS Signature Version 4 of a request, strictly, by itself: nothing is shared with the code that signs.
 *
 * Stricter than most stores: every `x-amz-` header that is sent must be signed, and the path must be encoded in the one
 * form that the standard has.
 *
 * Sources: AWS, "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)".
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { parseTime } from '../core/clock.ts'

const SKEW_MAX_MS = 15 * 60_000

/** A request as it came in. */
export interface SignedRequest {
  readonly method: string
  /** Path and query as sent, encoded. */
  readonly target: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** Who may do what. */
export interface StoreCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly region: string
}

/** Why a request is refused: the codes of S3. */
export type SignatureError =
  | 'AccessDenied'
  | 'AuthorizationHeaderMalformed'
  | 'BadDigest'
  | 'InvalidAccessKeyId'
  | 'RequestTimeTooSkewed'
  | 'SignatureDoesNotMatch'
  | 'XAmzContentSHA256Mismatch'

/** @returns Why the request is not who it claims to be, or has another body than was signed; `undefined` when all is well. */
export function findSignatureError(
  request: SignedRequest,
  credentials: StoreCredentials,
  wallNowMs: number,
): SignatureError | undefined {
  const { headers, body } = request
  const authorization = headers['authorization']
  if (authorization === undefined) return 'AccessDenied'
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/(\d{8})\/([^/,]+)\/s3\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/.exec(
      authorization,
    )
  if (match === null) return 'AuthorizationHeaderMalformed'
  const [, accessKeyId = '', day = '', region = '', signedHeaders = '', signature = ''] = match
  if (accessKeyId !== credentials.accessKeyId) return 'InvalidAccessKeyId'
  const moment = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(headers['x-amz-date'] ?? '')
  if (moment === null || region !== credentials.region) return 'AuthorizationHeaderMalformed'
  const atMs = parseTime(`${moment.slice(1, 4).join('-')}T${moment.slice(4).join(':')}Z`)
  if (!(Math.abs(wallNowMs - atMs) <= SKEW_MAX_MS) || !moment[0].startsWith(day)) return 'RequestTimeTooSkewed'
  const names = signedHeaders.split(';')
  if (!areHeadersCovered(names, headers)) return 'AccessDenied'
  if (headers['x-amz-content-sha256'] !== sha256(body)) return 'XAmzContentSHA256Mismatch'
  const expected = sign(canonicalRequest(request, names), { ...credentials, day, moment: moment[0] })
  if (!timingSafeEqual(Buffer.from(expected, 'hex'), Buffer.from(signature, 'hex'))) return 'SignatureDoesNotMatch'
  return hasWrongChecksum(headers, body) ? 'BadDigest' : undefined
}

function areHeadersCovered(names: readonly string[], headers: Readonly<Record<string, string>>): boolean {
  const required = ['host', ...Object.keys(headers).filter((name) => name.startsWith('x-amz-'))]
  const isSorted = names.every((name, index) => index === 0 || (names[index - 1] ?? '') < name)
  return isSorted && required.every((name) => names.includes(name)) && names.every((name) => name in headers)
}

function canonicalRequest({ method, target, headers }: SignedRequest, names: readonly string[]): string {
  const [path = '', query = ''] = target.split(/\?(.*)/s)
  const pairs = query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [key = '', value = ''] = pair.split(/=(.*)/s)
      return `${encode(decode(key))}=${encode(decode(value))}`
    })
    .toSorted((a, b) => (a < b ? -1 : 1))
  return [
    method,
    path
      .split('/')
      .map((part) => encode(decode(part)))
      .join('/'),
    pairs.join('&'),
    ...names.map((name) => `${name}:${(headers[name] ?? '').trim().replaceAll(/ +/g, ' ')}`),
    '',
    names.join(';'),
    headers['x-amz-content-sha256'] ?? '',
  ].join('\n')
}

function sign(
  canonical: string,
  { secretAccessKey, region, day, moment }: StoreCredentials & { readonly day: string; readonly moment: string },
): string {
  const scope = `${day}/${region}/s3/aws4_request`
  const text = ['AWS4-HMAC-SHA256', moment, scope, sha256(canonical)].join('\n')
  const key = [day, region, 's3', 'aws4_request'].reduce<string | Uint8Array>(hmac, `AWS4${secretAccessKey}`)
  return Buffer.from(hmac(key, text)).toString('hex')
}

function hmac(key: string | Uint8Array, text: string): Uint8Array {
  return createHmac('sha256', key).update(text).digest()
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}

function hasWrongChecksum(headers: Readonly<Record<string, string>>, body: Uint8Array): boolean {
  const digest = (algorithm: string): string => createHash(algorithm).update(body).digest('base64')
  const md5 = headers['content-md5']
  const checksum = headers['x-amz-checksum-sha256']
  return (md5 !== undefined && md5 !== digest('md5')) || (checksum !== undefined && checksum !== digest('sha256'))
}

/** What is no UTF-8 stays as it is, and the signature then fits nothing. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    if (error instanceof URIError) return text
    throw error
  }
}

/** RFC 3986: everything but unreserved characters, with capital digits. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (char) => `%${char.codePointAt(0)?.toString(16).toUpperCase()}`,
  )
}
