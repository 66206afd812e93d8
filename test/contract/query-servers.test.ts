/** `candor query` against a real authoritative server (knot) and a real validating resolver (unbound) on loopback. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nodeProcesses } from '../../src/platform/node-processes.ts'
import { makeTestCertificates, SERVER_NAME } from '../transports/test-certificates.ts'
import { runSimulatedCli, type CliOutcome } from './simulated-cli.ts'

const programs = await Promise.all(['knotd', 'unbound', 'openssl'].map((name) => nodeProcesses.which(name)))
const certificates = programs.includes(undefined) ? undefined : makeTestCertificates()

/** An address that nobody else uses, so that ports found free stay free. */
const HOST = `127.103.${1 + ((crypto.getRandomValues(new Uint8Array(1))[0] ?? 0) % 250)}.1`

const ZONE = `$ORIGIN signed.test.
@ 300 SOA ns host 1 3600 600 86400 60
@ 300 NS ns
ns 300 A 192.0.2.53
www 300 A 192.0.2.1
big 300 TXT ${Array.from({ length: 12 }, (_, index) => `"${'x'.repeat(200)}${index}"`).join(' ')}
`

interface Message {
  readonly flags: readonly string[]
  readonly answers: readonly { readonly type: string; readonly data: string }[]
  readonly edns: { readonly dnssec_ok: boolean; readonly options: readonly { readonly option: string }[] } | null
}

interface Shown {
  readonly status: string | null
  readonly exchanges: readonly {
    readonly transport: string
    readonly responses: readonly { readonly message: Message }[]
  }[]
}

/** The last message of the only record. */
function messageOf({ stdout }: CliOutcome): Message {
  const shown = JSON.parse(stdout) as Shown
  const message = shown.exchanges.at(-1)?.responses[0]?.message
  if (message === undefined) throw new Error(stdout)
  return message
}

const optionsOf = ({ edns }: Message): readonly string[] => edns?.options.map(({ option }) => option) ?? []

describe.skipIf(certificates === undefined)('candor query (needs knot, unbound and openssl)', () => {
  const files = certificates as NonNullable<typeof certificates>
  const ports = { knot: 0, dns: 0, tls: 0, https: 0 }
  const undo: (() => Promise<void> | void)[] = []

  beforeAll(async () => {
    const directory = mkdtempSync(join(tmpdir(), 'candor-servers-'))
    undo.push(() => {
      rmSync(directory, { recursive: true, force: true })
    })
    const start = (command: string, config: string, ...args: readonly string[]): void => {
      writeFileSync(join(directory, `${command}.conf`), config)
      const child = spawn(command, [...args, '-c', join(directory, `${command}.conf`)], { stdio: 'ignore' })
      undo.unshift(async () => {
        const exited = once(child, 'exit')
        child.kill('SIGKILL')
        if (child.exitCode === null) await exited
      })
    }
    for (const name of ['knot', 'dns', 'tls', 'https'] as const) ports[name] = await findPort()
    writeFileSync(join(directory, 'signed.zone'), ZONE)
    writeFileSync(join(directory, 'bogus.zone'), ZONE.replaceAll('signed.test', 'bogus.test'))
    start('knotd', knotConfig(directory, ports.knot))
    const keys = async (): Promise<string> =>
      (await runSimulatedCli(['query', 'signed.test', 'DNSKEY', `@${HOST}#${ports.knot}`, '--format', 'short'])).stdout
    await until(async () => (await keys()).includes('257 3 13'))
    const anchor = (await keys()).split('\n').find((line) => line.startsWith('257')) ?? ''
    start('unbound', unboundConfig(directory, ports, anchor, files.right), '-d')
    const resolver = ['query', 'www.signed.test', `@${HOST}#${ports.dns}`, '--timeout', '1s']
    await until(async () => (await runSimulatedCli(resolver)).status === 0)
  }, 40_000)
  afterAll(async () => {
    for (const act of undo) await act()
  })

  test('shows what the server says of itself, and signatures', async () => {
    const flags = ['--nsid', '--dnssec', '--no-recurse', '--cookie', '--subnet', '192.0.2.0/24']
    const message = messageOf(await runSimulatedCli(['query', 'www.signed.test', `@${HOST}#${ports.knot}`, ...flags]))
    expect(message).toMatchObject({ flags: ['qr', 'aa'], edns: { dnssec_ok: true } })
    expect(message.answers.map(({ type }) => type)).toEqual(['A', 'RRSIG'])
    expect(optionsOf(message)).toEqual(expect.arrayContaining(['nsid', 'cookie', 'client_subnet']))
  })

  test('asks again with the cookie, and over TCP what was truncated', async () => {
    const argv = ['query', 'big.signed.test', 'TXT', `@${HOST}#${ports.knot}`, '--cookie', '--bufsize', '512']
    const outcome = await runSimulatedCli(argv)
    const { exchanges } = JSON.parse(outcome.stdout) as Shown
    expect(exchanges.map(({ transport }) => transport)).toEqual(['udp', 'udp', 'tcp'])
    expect(messageOf(outcome).answers).toHaveLength(1)
  })

  test('shows that a resolver has validated, the same over every transport', async () => {
    const ask = async (...words: readonly string[]): Promise<Message> =>
      messageOf(
        await runSimulatedCli([
          'query',
          'www.signed.test',
          '--dnssec',
          ...words,
          '--ca',
          files.authorityFile,
          '--tls-name',
          SERVER_NAME,
        ]),
      )
    const messages = [
      await ask(`@${HOST}#${ports.dns}`),
      await ask(`@${HOST}#${ports.dns}`, '--tcp'),
      await ask(`@tls://${HOST}:${ports.tls}`),
      await ask(`@https://${HOST}:${ports.https}/dns-query`),
      await ask(`@https://${HOST}:${ports.https}/dns-query`, '--get'),
    ]
    for (const message of messages) {
      expect(message.flags).toEqual(['qr', 'rd', 'ra', 'ad'])
      expect(message.answers.map(({ type }) => type)).toEqual(['A', 'RRSIG'])
    }
  })

  test('shows why a resolver refuses', async () => {
    const text = await runSimulatedCli(['query', 'www.bogus.test', `@${HOST}#${ports.dns}`, '--format', 'text'])
    expect(text.stdout).toContain(';; status: SERVFAIL')
    expect(text.stdout).toMatch(/; EDE: \d+ \((DNSSEC Bogus|DNSKEY Missing|RRSIGs Missing)\)/)
    const unchecked = await runSimulatedCli(['query', 'www.bogus.test', '--cd', `@${HOST}#${ports.dns}`])
    expect(messageOf(unchecked).answers).toMatchObject([{ data: '192.0.2.1' }])
  })
})

/** Waits until a server is there. @throws When it is not after 15 s. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 15_000
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error('a server does not answer')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function knotConfig(directory: string, port: number): string {
  return `server:
  listen: ${HOST}@${port}
  rundir: ${directory}
  nsid: knot-1
  edns-client-subnet: on
database:
  storage: ${directory}
template:
  - id: default
    semantic-checks: off
    global-module: mod-cookies
    storage: ${directory}
zone:
  - domain: signed.test
    file: signed.zone
    dnssec-signing: on
    zonefile-load: difference-no-serial
    journal-content: all
    zonefile-sync: -1
  - domain: bogus.test
    file: bogus.zone
`
}

function unboundConfig(
  directory: string,
  ports: { readonly knot: number; readonly dns: number; readonly tls: number; readonly https: number },
  anchor: string,
  { certificate, key }: { readonly certificate: string; readonly key: string },
): string {
  const stub = (zone: string): string => `stub-zone:\n  name: ${zone}\n  stub-addr: ${HOST}@${ports.knot}\n`
  return `server:
  interface: ${HOST}@${ports.dns}
  interface: ${HOST}@${ports.tls}
  interface: ${HOST}@${ports.https}
  tls-port: ${ports.tls}
  https-port: ${ports.https}
  tls-service-pem: "${certificate}"
  tls-service-key: "${key}"
  username: ""
  chroot: ""
  directory: "${directory}"
  pidfile: ""
  use-syslog: no
  do-not-query-localhost: no
  ede: yes
  module-config: "validator iterator"
  local-zone: "test." nodefault
  trust-anchor: "signed.test. DNSKEY ${anchor}"
  trust-anchor: "bogus.test. DNSKEY ${anchor}"
remote-control:
  control-enable: no
${stub('signed.test')}${stub('bogus.test')}`
}

async function findPort(): Promise<number> {
  const server = createServer()
  server.listen(0, HOST)
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}
