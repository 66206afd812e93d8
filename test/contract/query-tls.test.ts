import { readFileSync } from 'node:fs'
import { createSecureServer } from 'node:http2'
import { describe, expect, onTestFinished, test } from 'vitest'
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

  test('asks over HTTPS, with POST and with GET', async () => {
    await using dnsdist = await startDnsdist(files.right, answerAddress)
    const url = `@https://127.0.0.1:${dnsdist.https.port}/dns-query`
    for (const flags of [[url], [url, '--get'], [`@127.0.0.1#${dnsdist.https.port}`, '--https']]) {
      const outcome = await runSimulatedCli(['query', ...flags, 'a.example', '--ca', files.authorityFile])
      expect(outcome).toMatchObject({ status: 0, stderr: '' })
      expect(JSON.parse(outcome.stdout)).toMatchObject({
        status: 'NOERROR',
        tls: { alpn: 'h2', distrust: null },
        exchanges: [{ transport: 'https', responses: [{ message: { answers: [{ data: '192.0.2.1' }] } }] }],
      })
    }
  })

  test('reports the status of a path that the server does not have', async () => {
    await using dnsdist = await startDnsdist(files.right, answerAddress)
    const server = [`@127.0.0.1#${dnsdist.https.port}`, '--ca', files.authorityFile]
    const outcome = await runSimulatedCli(['query', 'a.example', ...server, '--https=/elsewhere'])
    expect(outcome.status).toBe(1)
    expect(JSON.parse(outcome.stdout)).toMatchObject({
      exchanges: [{ failure: { operation: 'exchange', failure: 'http_unexpected_status_code: 404' } }],
    })
  })

  test('asks over HTTPS in the JSON form', async () => {
    const server = createSecureServer({
      cert: readFileSync(files.right.certificate),
      key: readFileSync(files.right.key),
    })
    server.on('stream', (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/dns-json' })
      const answer = { name: 'a.example', type: 28, TTL: 60, data: '2001:db8::1' }
      stream.end(JSON.stringify({ Status: 3, RA: true, Question: { name: 'a.example', type: 28 }, Answer: [answer] }))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const address = server.address()
    const at = `@127.0.0.1#${typeof address === 'object' && address !== null ? address.port : 0}`
    const argv = ['query', 'a.example', 'AAAA', at, '--json-doh', '--ca', files.authorityFile]
    expect(JSON.parse((await runSimulatedCli(argv)).stdout)).toMatchObject({
      status: 'NXDOMAIN',
      exchanges: [
        {
          transport: 'https_json',
          responses: [
            {
              message: {
                id: null,
                flags: ['ra'],
                answers: [{ name: 'a.example.', type: 'AAAA', class: 'IN', ttl_seconds: 60, data: '2001:db8::1' }],
                edns: null,
              },
            },
          ],
        },
      ],
    })
    expect((await runSimulatedCli([...argv, '--format', 'text'])).stdout).toContain('over HTTPS (JSON)')
  })

  test.each([
    [['a.example', '@https://127.0.0.1/dns?x=1'], '--https=/dns-query'],
    [['a.example', '@https://127.0.0.1/', '--tls'], 'leave out --tls'],
    [['--https', 'a.example', '--tcp', '@127.0.0.1'], 'leave out --tcp'],
    [['a.example', '@tls://127.0.0.1', '--tcp'], 'leave out --tcp'],
    [['a.example', '@ftp://127.0.0.1'], '@tls://dns.zone.example'],
    [['a.example', '@127.0.0.1', '--tls', '--ca', '/nonexistent.pem'], '--ca FILE'],
  ])('refuses %j with status 2 and the corrected form', async (argv, fix) => {
    const outcome = await runSimulatedCli(['query', ...argv])
    expect(outcome).toMatchObject({ status: 2, stdout: '' })
    expect(outcome.stderr).toContain(fix)
  })
})
