/** The control protocol over a real socket: order, death, silence, and a Tor that is another program. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { BugError } from '../../src/core/assert.ts'
import { RunError } from '../../src/core/config-error.ts'
import { nodeFiles } from '../../src/platform/node-files.ts'
import { authenticate, readProtocolInfo } from '../../src/tor/control-auth.ts'
import { ControlError } from '../../src/tor/control-client.ts'
import { startScriptedTor, until } from './scripted-tor.ts'

describe('createControlClient', () => {
  test('gives each command its own reply and hands events to their own handlers', async () => {
    await using tor = await startScriptedTor((line) =>
      line === 'GETINFO a' ? '650 STREAM 1 NEW\r\n250-a=1\r\n650 CIRC 2\r\n250 OK\r\n' : '552 no\r\n',
    )
    const events: string[] = []
    tor.client.onEvent('STREAM', ({ text }) => events.push(text))
    const [first, second] = await Promise.all([tor.client.command('GETINFO a'), tor.client.command('GETINFO b')])
    expect(first).toMatchObject({ status: 250, lines: [{ text: 'a=1' }, { text: 'OK' }] })
    expect(second).toMatchObject({ status: 552 })
    expect(events).toEqual(['1 NEW'])
    await expect(tor.client.expectOk('GETINFO c')).rejects.toThrow('Tor refused GETINFO: 552 no')
  })

  test('keeps the place of a command that timed out, so that nobody else gets its reply', async () => {
    await using tor = await startScriptedTor(() => undefined)
    await expect(tor.client.command('GETINFO slow', { timeoutMs: 20 })).rejects.toThrow(/did not answer GETINFO/)
    const next = tor.client.command('GETINFO next')
    await tor.send('250 slow\r\n250 next\r\n')
    expect(await next).toMatchObject({ lines: [{ text: 'next' }] })
  })

  test('streams data blocks line by line', async () => {
    await using tor = await startScriptedTor(() => '250+doc=\r\none\r\n..two\r\n.\r\n250 OK\r\n')
    const lines: string[] = []
    await tor.client.expectOk('GETINFO doc', { onData: (line) => lines.push(line) })
    expect(lines).toEqual(['one', '.two'])
  })

  test.each([
    ['hangs up', undefined],
    ['says something else', 'HTTP/1.1 400 Bad Request\r\n'],
    ['answers what nobody asked', '250 OK\r\n250 OK\r\n250 OK\r\n'],
  ])('fails every pending command when the other side %s', async (_, text) => {
    await using tor = await startScriptedTor(() => undefined)
    const pending = Promise.allSettled([tor.client.command('GETINFO a'), tor.client.command('GETINFO b')])
    await until(() => tor.commands.length === 2)
    if (text === undefined) tor.hangUp()
    else await tor.send(text)
    await pending
    await until(() => tor.client.gone.aborted)
    expect(tor.client.gone.reason).toBeInstanceOf(ControlError)
    await expect(tor.client.command('GETINFO c')).rejects.toBe(tor.client.gone.reason)
  })

  test('sends a batch in one piece and in order', async () => {
    await using tor = await startScriptedTor((line) => `250 ${line}\r\n`)
    const replies = await tor.client.batch(['A', 'B', 'C'])
    expect(replies.map((reply) => reply.lines[0]?.text)).toEqual(['A', 'B', 'C'])
  })

  test('refuses a command that hides another one', async () => {
    await using tor = await startScriptedTor(() => '250 OK\r\n')
    await expect(tor.client.command('GETINFO a\r\nSIGNAL SHUTDOWN')).rejects.toThrow(BugError)
    expect(tor.commands).toEqual([])
  })
})

const COOKIE = Uint8Array.from({ length: 32 }, (_, i) => i)
const NONCE = '00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF'

async function hmac(key: string, parts: readonly string[]): Promise<string> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const imported = await crypto.subtle.importKey('raw', new TextEncoder().encode(key), algorithm, false, ['sign'])
  const signature = await crypto.subtle.sign('HMAC', imported, Buffer.from(parts.join(''), 'hex'))
  return Buffer.from(signature).toString('hex').toUpperCase()
}

describe('authenticate', () => {
  test.each([
    ['knows its cookie', Buffer.from(COOKIE).toString('hex'), true],
    ['does not know it', 'ff'.repeat(32), false],
  ])('proves itself only to a process that %s', async (_, serverCookie, isTrusted) => {
    const directory = await mkdtemp(join(tmpdir(), 'candor-cookie-'))
    const cookieFile = join(directory, 'cookie "1"')
    await writeFile(cookieFile, COOKIE)
    const quoted = cookieFile.replaceAll('"', '\\"')
    await using tor = await startScriptedTor((line) => {
      if (line.startsWith('PROTOCOLINFO')) {
        return `250-PROTOCOLINFO 1\r\n250-AUTH METHODS=COOKIE,SAFECOOKIE COOKIEFILE="${quoted}"\r\n250-VERSION Tor="0.4.9.11"\r\n250 OK\r\n`
      }
      if (!line.startsWith('AUTHCHALLENGE SAFECOOKIE ')) return '250 OK\r\n'
      const client = line.split(' ')[2] ?? ''
      const key = 'Tor safe cookie authentication server-to-controller hash'
      void hmac(key, [serverCookie, client, NONCE]).then((hash) =>
        tor.send(`250 AUTHCHALLENGE SERVERHASH=${hash} SERVERNONCE=${NONCE}\r\n`),
      )
      return undefined
    })
    const info = await readProtocolInfo(tor.client)
    expect(info).toMatchObject({ version: '0.4.9.11', cookieFile })
    const [outcome] = await Promise.allSettled([authenticate(tor.client, nodeFiles, info, 'never sent')])
    expect(outcome.status).toBe(isTrusted ? 'fulfilled' : 'rejected')
    const sent = tor.commands.find((line) => line.startsWith('AUTHENTICATE'))
    const nonce = tor.commands.find((line) => line.startsWith('AUTHCHALLENGE'))?.split(' ')[2] ?? ''
    const key = 'Tor safe cookie authentication controller-to-server hash'
    const proof = await hmac(key, [Buffer.from(COOKIE).toString('hex'), nonce, NONCE])
    expect(sent).toBe(isTrusted ? `AUTHENTICATE ${proof}` : undefined)
    await rm(directory, { recursive: true })
  })

  test('gives a password, quoted, where that is the only way', async () => {
    await using tor = await startScriptedTor(() => '250 OK\r\n')
    const info = { methods: new Set(['HASHEDPASSWORD']), cookieFile: null, version: '' }
    await authenticate(tor.client, nodeFiles, info, 'a "b"\\\r\n')
    expect(tor.commands).toEqual(['AUTHENTICATE "a \\"b\\"\\\\\\015\\012"'])
    const refused = authenticate(tor.client, nodeFiles, info, null)
    await expect(refused).rejects.toThrow(RunError)
  })

  test('says which file cannot be read, and never its content', async () => {
    await using tor = await startScriptedTor(() => '250 OK\r\n')
    const info = { methods: new Set(['SAFECOOKIE']), cookieFile: '/nonexistent/cookie', version: '' }
    await expect(authenticate(tor.client, nodeFiles, info, null)).rejects.toThrow(/\/nonexistent\/cookie .*ENOENT/)
    expect(tor.commands).toEqual([])
  })
})
