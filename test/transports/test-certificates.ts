/** A certificate authority for one test file, and certificates from it: right, expired, for another name, from nobody. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

/** The name that the right certificate is for, beside 127.0.0.1. */
export const SERVER_NAME = 'dns.zone.example'

/** Paths of PEM files. */
export interface CertificateFiles {
  readonly certificate: string
  readonly key: string
}

/** What the authority made. */
export interface TestCertificates {
  /** PEM of the authority. */
  readonly authority: string
  /** Path of the same. */
  readonly authorityFile: string
  readonly right: CertificateFiles
  readonly expired: CertificateFiles
  readonly wrongHost: CertificateFiles
  /** For the right name, from an authority that nobody knows. */
  readonly unknownAuthority: CertificateFiles
}

/** Makes them with openssl, in a directory that goes away with the test file. */
export function makeTestCertificates(): TestCertificates {
  const directory = mkdtempSync(join(tmpdir(), 'candor-ca-'))
  afterAll(() => {
    rmSync(directory, { recursive: true, force: true })
  })
  const openssl = (...args: readonly string[]): void => {
    execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' })
  }
  const makeAuthority = (name: string): void => {
    openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', `${name}.key`)
    openssl('req', '-x509', '-new', '-key', `${name}.key`, '-days', '30', '-subj', `/CN=${name}`, '-out', `${name}.pem`)
  }
  const make = (name: string, by: string, host: string, isExpired = false): CertificateFiles => {
    openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', `${name}.key`)
    openssl('req', '-new', '-key', `${name}.key`, '-subj', `/CN=${host}`, '-out', `${name}.csr`)
    writeFileSync(
      join(directory, `${name}.ext`),
      `subjectAltName=DNS:${host}${host === SERVER_NAME ? ',IP:127.0.0.1' : ''}\n`,
    )
    const days = isExpired ? '-1' : '20'
    const signing = `-CA ${by}.pem -CAkey ${by}.key -CAcreateserial -days ${days} -extfile ${name}.ext`
    openssl('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.pem`, ...signing.split(' '))
    return { certificate: join(directory, `${name}.pem`), key: join(directory, `${name}.key`) }
  }
  makeAuthority('authority')
  makeAuthority('stranger')
  return {
    authority: readFileSync(join(directory, 'authority.pem'), 'utf8'),
    authorityFile: join(directory, 'authority.pem'),
    right: make('right', 'authority', SERVER_NAME),
    expired: make('expired', 'authority', SERVER_NAME, true),
    wrongHost: make('wrong', 'authority', 'other.zone.example'),
    unknownAuthority: make('unknown', 'stranger', SERVER_NAME),
  }
}
