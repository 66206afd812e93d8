/**
 * Keys of laboratory relays, made before anything starts, so that every fingerprint is known beforehand.
 *
 * Relay identities are made here (20 ms each; `tor --list-fingerprint` takes 400); the certificate of an authority comes
 * from Debian's `tor-gencert`.
 *
 * Invariant: keys live in the laboratory's directory only, mode 0600.
 *
 * Sources: tor-spec (a fingerprint is SHA-1 over the PKCS#1 DER form of the RSA-1024 identity key), dir-spec section 3.1.
 */
import { createHash, generateKeyPair } from 'node:crypto'
import { RunError } from '../core/config-error.ts'
import { type Files, joinPath, readText } from '../core/files.ts'
import type { ProcessRunner } from '../core/process-runner.ts'
import type { Endpoint } from '../net/net.ts'
import type { Fingerprint } from '../tor/tor-session.ts'

/** Certificates are a few kilobytes. */
const CERTIFICATE_OCTETS_MAX = 64 * 1024

/**
 * Makes the identity key of a relay in its data directory, which is created.
 *
 * @returns The relay's fingerprint.
 */
export async function createRelayIdentity(files: Files, dataDirectory: string): Promise<Fingerprint> {
  const { publicDer, privatePem } = await generateRsa1024()
  await files.makeDirectory(dataDirectory, 0o700)
  await files.makeDirectory(joinPath(dataDirectory, 'keys'), 0o700)
  await files.writeAtomic(joinPath(dataDirectory, 'keys', 'secret_id_key'), privatePem, 0o600)
  return createHash('sha1').update(publicDer).digest('hex').toUpperCase()
}

/**
 * Makes the identity and signing keys of a directory authority and the certificate that binds them.
 *
 * @returns The `v3ident`: the fingerprint of the authority's identity.
 * @throws {RunError} When `tor-gencert` fails.
 */
export async function createAuthorityCertificate(
  files: Files,
  processes: ProcessRunner,
  dataDirectory: string,
  dirPort: Endpoint,
): Promise<Fingerprint> {
  const keys = joinPath(dataDirectory, 'keys')
  await files.makeDirectory(dataDirectory, 0o700)
  await files.makeDirectory(keys, 0o700)
  const lines: string[] = []
  // tor-gencert insists on a passphrase; the key is worth nothing outside this laboratory.
  const child = await processes.start(
    'sh',
    [
      '-c',
      'printf "laboratory\\n" | exec tor-gencert --create-identity-key --passphrase-fd 0 -m 12 -a "$1"',
      'sh',
      `${dirPort.address}:${dirPort.port}`,
    ],
    {
      directory: keys,
      onLine: (line) => {
        if (lines.length < 20) lines.push(line)
      },
    },
  )
  const status = await child.exited
  if (status.code !== 0) {
    throw new RunError(
      `tor-gencert failed: ${lines.at(-1) ?? 'it said nothing'}`,
      'Install it with: apt-get install tor',
    )
  }
  const certificate = await readText(files, joinPath(keys, 'authority_certificate'), CERTIFICATE_OCTETS_MAX)
  const identity = /^fingerprint ([0-9A-F]{40})$/m.exec(certificate)?.[1]
  if (identity === undefined) throw new RunError('tor-gencert wrote a certificate without a fingerprint')
  return identity
}

function generateRsa1024(): Promise<{ readonly publicDer: Uint8Array; readonly privatePem: string }> {
  return new Promise((resolve, reject) => {
    generateKeyPair(
      'rsa',
      {
        modulusLength: 1024,
        publicExponent: 65_537,
        publicKeyEncoding: { type: 'pkcs1', format: 'der' },
        privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
      },
      (error, publicDer, privatePem) => {
        if (error === null) resolve({ publicDer, privatePem })
        else reject(error)
      },
    )
  })
}
