/**
 * The laboratory's certificate authority: makes certificates for the names and addresses of its sites in less than a
 * millisecond each. Node has nothing that makes certificates.
 *
 * Invariant: the authority's key exists in memory only, and its certificate is trusted by commands inside the laboratory
 * and nowhere else.
 *
 * Sources: RFC 5280 (profile), RFC 5758 section 3.2 (ECDSA with SHA-256), RFC 9525 section 6 (names).
 */
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import { parseIp } from '../core/ip-address.ts'
import {
  DER_TAG,
  encodeDer,
  encodeDerInteger,
  encodeDerObjectIdentifier,
  encodeDerSequence,
  encodeDerText,
  encodeDerTime,
} from './der.ts'

const DAY_MS = 86_400_000
/** Clocks may differ, and no laboratory stands longer than a month. */
const BEFORE_MS = DAY_MS
const LIFE_MS = 30 * DAY_MS
const SERIAL_OCTETS = 16

const VERSION_3 = encodeDer(0xa0, encodeDerInteger(Uint8Array.of(2)))
const ECDSA_WITH_SHA256 = encodeDerSequence(encodeDerObjectIdentifier('1.2.840.10045.4.3.2'))
const COMMON_NAME = encodeDerObjectIdentifier('2.5.4.3')
const BASIC_CONSTRAINTS = encodeDerObjectIdentifier('2.5.29.19')
const SUBJECT_ALT_NAME = encodeDerObjectIdentifier('2.5.29.17')
const TRUE = encodeDer(DER_TAG.boolean, Uint8Array.of(0xff))
/** Context tags of GeneralName. */
const DNS_NAME = 0x82
const IP_ADDRESS = 0x87

/** A certificate with its key, both PEM. */
export interface IssuedCertificate {
  readonly certificate: string
  readonly key: string
}

/** What a certificate is for. */
export interface CertificateRequest {
  /** Host names (a first label `*` is a wildcard) and IP addresses; the first one is the common name. */
  readonly names: readonly string[]
  /** Unix milliseconds; a day ago without. */
  readonly notBeforeMs?: number
  /** Unix milliseconds; in thirty days without. In the past for a certificate that has expired. */
  readonly notAfterMs?: number
}

/** Makes certificates. */
export interface CertificateAuthority {
  /** PEM of its own certificate. */
  readonly certificate: string
  issue(request: CertificateRequest): IssuedCertificate
}

/** Makes an authority with a new key. @param nowMs - Unix milliseconds. */
export function createCertificateAuthority(name: string, nowMs: number): CertificateAuthority {
  const issuer = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const validity = { notBeforeMs: nowMs - BEFORE_MS, notAfterMs: nowMs + LIFE_MS }
  const issuerName = encodeName(name)
  const make = (subject: Uint8Array, key: KeyObject, times: Validity, extensions: readonly Uint8Array[]): string => {
    const content = encodeDerSequence(
      VERSION_3,
      encodeDerInteger(randomBytes(SERIAL_OCTETS)),
      ECDSA_WITH_SHA256,
      issuerName,
      encodeDerSequence(encodeDerTime(times.notBeforeMs), encodeDerTime(times.notAfterMs)),
      subject,
      new Uint8Array(key.export({ type: 'spki', format: 'der' })),
      encodeDer(0xa3, encodeDerSequence(...extensions)),
    )
    const signature = sign('sha256', content, issuer.privateKey)
    return encodePem(
      encodeDerSequence(content, ECDSA_WITH_SHA256, encodeDer(DER_TAG.bitString, Uint8Array.of(0), signature)),
    )
  }
  const isAuthority = encodeExtension(BASIC_CONSTRAINTS, encodeDerSequence(TRUE), TRUE)
  return {
    certificate: make(issuerName, issuer.publicKey, validity, [isAuthority]),
    issue: ({ names, ...times }) => {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const alternatives = encodeExtension(SUBJECT_ALT_NAME, encodeDerSequence(...names.map(encodeGeneralName)))
      return {
        certificate: make(encodeName(names[0] ?? ''), publicKey, { ...validity, ...times }, [alternatives]),
        key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      }
    },
  }
}

interface Validity {
  readonly notBeforeMs: number
  readonly notAfterMs: number
}

function encodeName(text: string): Uint8Array {
  return encodeDerSequence(encodeDer(DER_TAG.set, encodeDerSequence(COMMON_NAME, encodeDerText(text))))
}

function encodeExtension(id: Uint8Array, value: Uint8Array, ...critical: readonly Uint8Array[]): Uint8Array {
  return encodeDerSequence(id, ...critical, encodeDer(DER_TAG.octetString, value))
}

function encodeGeneralName(name: string): Uint8Array {
  const address = parseIp(name)
  return address === undefined ? encodeDer(DNS_NAME, new TextEncoder().encode(name)) : encodeDer(IP_ADDRESS, address)
}

function encodePem(octets: Uint8Array): string {
  const lines =
    Buffer.from(octets)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}
