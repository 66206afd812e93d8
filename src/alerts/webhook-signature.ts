/**
 * Signatures of webhooks: HMAC-SHA256 over id, time and body.
 *
 * Sources: https://www.standardwebhooks.com (headers `webhook-id`, `webhook-timestamp`, `webhook-signature`); RFC 2104.
 */

/** The parts that are signed. */
export interface SignedWebhook {
  /** The same at every repetition. */
  readonly id: string
  /** Unix seconds, of this attempt. */
  readonly timestampSeconds: number
  readonly body: string
}

/**
 * Signs.
 *
 * @param secret - `whsec_` and base64, or any text, whose octets are the key.
 * @returns `v1,` and the signature in base64.
 * @throws {TypeError} When there is no valid base64 behind `whsec_`.
 */
export async function signWebhook(secret: string, { id, timestampSeconds, body }: SignedWebhook): Promise<string> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const key = await crypto.subtle.importKey('raw', decodeWebhookSecret(secret), algorithm, false, ['sign'])
  const signed = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(`${id}.${timestampSeconds}.${body}`))
  return `v1,${btoa(String.fromCodePoint(...new Uint8Array(signed)))}`
}

/** The octets of a secret. @throws {TypeError} When there is no valid base64 behind `whsec_`. */
export function decodeWebhookSecret(secret: string): Uint8Array<ArrayBuffer> {
  if (!secret.startsWith('whsec_')) return new TextEncoder().encode(secret)
  try {
    return Uint8Array.from(atob(secret.slice('whsec_'.length)), (character) => character.codePointAt(0) ?? 0)
  } catch (cause) {
    throw new TypeError('no base64 behind whsec_', { cause })
  }
}
