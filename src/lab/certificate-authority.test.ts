import { X509Certificate } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createCertificateAuthority } from './certificate-authority.ts'

const NOW_MS = Date.UTC(2026, 5, 1)

describe('createCertificateAuthority', () => {
  test('issues certificates that OpenSSL reads and that verify against its own', () => {
    const authority = createCertificateAuthority('test', NOW_MS)
    const root = new X509Certificate(authority.certificate)
    const leaf = new X509Certificate(
      authority.issue({ names: ['www.site.test', '*.site.test', '198.19.0.1'] }).certificate,
    )
    expect(root.ca).toBe(true)
    expect(leaf.ca).toBe(false)
    expect(leaf.verify(root.publicKey)).toBe(true)
    expect(leaf.checkIssued(root)).toBe(true)
    expect(leaf.subject).toBe('CN=www.site.test')
    expect(leaf.subjectAltName).toBe('DNS:www.site.test, DNS:*.site.test, IP Address:198.19.0.1')
    expect(leaf.checkHost('a.site.test')).toBe('*.site.test')
    expect(new Date(leaf.validFrom).getTime()).toBe(NOW_MS - 86_400_000)
  })

  test('issues expired certificates, and other authorities do not vouch for them', () => {
    const authority = createCertificateAuthority('test', NOW_MS)
    const leaf = new X509Certificate(authority.issue({ names: ['a.test'], notAfterMs: NOW_MS - 1000 }).certificate)
    expect(new Date(leaf.validTo).getTime()).toBe(NOW_MS - 1000)
    const other = new X509Certificate(createCertificateAuthority('test', NOW_MS).certificate)
    expect(leaf.verify(other.publicKey)).toBe(false)
  })
})
