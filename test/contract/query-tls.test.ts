import { describe, expect, test } from 'vitest'
import { answerAddress } from '../transports/answer-address.ts'
import { hasDnsdist, startDnsdist } from '../transports/dnsdist.ts'
import { makeTestCertificates } from '../transports/test-certificates.ts'
import { runSimulatedCli } from './simulated-cli.ts'

const certificates = hasDnsdist ? makeTestCertificates() : undefined

describe.skipIf(certificates === undefined)('candor query (needs dnsdist and openssl)', () => {
  const files = certificates as NonNullable<typeof certificates>

  test('asks over TLS and shows what was agreed on', async () => {
    await using dnsdist = await startDnsdist(files.right, answerAddress)
    const argv = ['query', 'a.example', 'A', 'AAAA', '--ca', files.authorityFile]
    const json = await runSimulatedCli([...argv, `@tls://127.0.0.1:${dnsdist.tls.port}`])
    expect(json).toMatchObject({ status: 0, stderr: '' })
    expect(JSON.parse(json.stdout.split('\n')[0] ?? '')).toMatchObject({
      tls: { server_name: '127.0.0.1', distrust: null },
      exchanges: [{ transport: 'tls', sent_octets: 128 }],
    })
    const text = await runSimulatedCli([...argv, `@127.0.0.1#${dnsdist.tls.port}`, '--tls', '--format', 'text'])
    expect(text.stdout).toMatch(/;; TLSv1\.3, TLS_\w+, certificate verified for 127\.0\.0\.1\n/)
  })

  test('refuses a certificate that does not verify, with its reason and status 1', async () => {
    await using dnsdist = await startDnsdist(files.wrongHost, answerAddress)
    const argv = ['query', 'a.example', `@tls://127.0.0.1:${dnsdist.tls.port}`, '--ca', files.authorityFile]
    const refused = await runSimulatedCli(argv)
    expect(refused.status).toBe(1)
    expect(JSON.parse(refused.stdout)).toMatchObject({
      status: null,
      tls: null,
      exchanges: [{ failure: { operation: 'tls_handshake', failure: 'ssl_invalid_hostname', side: 'resolver' } }],
    })
    const taken = await runSimulatedCli([...argv, '--no-verify', '--format', 'text'])
    expect(taken.status).toBe(0)
    expect(taken.stdout).toContain('certificate NOT verified for 127.0.0.1: ssl_invalid_hostname')
    const named = await runSimulatedCli([...argv, '--tls-name', 'other.zone.example'])
    expect(JSON.parse(named.stdout)).toMatchObject({ tls: { server_name: 'other.zone.example', distrust: null } })
  })

  test.each([
    [['a.example', '@tls://127.0.0.1', '--tcp'], 'leave out --tcp'],
    [['a.example', '@ftp://127.0.0.1'], '@tls://dns.zone.example'],
    [['a.example', '@127.0.0.1', '--tls', '--ca', '/nonexistent.pem'], '--ca FILE'],
  ])('refuses %j with status 2 and the corrected form', async (argv, fix) => {
    const outcome = await runSimulatedCli(['query', ...argv])
    expect(outcome).toMatchObject({ status: 2, stdout: '' })
    expect(outcome.stderr).toContain(fix)
  })
})
