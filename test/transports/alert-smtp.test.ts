import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { createRealChannel, exampleMessage, sendAll } from '../alert-fixtures/alert-parts.ts'
import { makeTestCertificates } from './test-certificates.ts'

const certificates = makeTestCertificates()
const LOGIN = { user: 'candor', password: 'very-SECRET-password' }

interface Mail {
  readonly from: string
  readonly to: readonly string[]
  readonly text: string
  readonly secure: boolean
  readonly user: unknown
}

interface MailServer {
  readonly port: number
  readonly mails: readonly Mail[]
}

async function startServer(options: SMTPServerOptions = {}): Promise<MailServer> {
  const mails: Mail[] = []
  const server = new SMTPServer({
    key: readFileSync(certificates.right.key),
    cert: readFileSync(certificates.right.certificate),
    authOptional: true,
    closeTimeout: 100,
    onAuth: ({ username, password }, _session, callback) => {
      if (username === LOGIN.user && password === LOGIN.password) callback(null, { user: username })
      else callback(new Error(`wrong password ${password ?? ''}`))
    },
    onData: (stream, session, callback) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          text: Buffer.concat(chunks).toString('utf8'),
          secure: session.secure,
          user: session.user,
        })
        callback()
      })
    },
    ...options,
  })
  server.on('error', () => {})
  const listening = server.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  onTestFinished(
    () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
      }),
  )
  const address = listening.address()
  return { port: typeof address === 'object' && address !== null ? address.port : 0, mails }
}

const settings = (port: number): NonNullable<Parameters<typeof createRealChannel>[0]> => ({
  kind: 'smtp',
  host: '127.0.0.1',
  port,
  from: 'candor@zone.example',
  to: ['noc@zone.example', 'ops@zone.example'],
  authorities: certificates.authorityFile,
})

/** Headers of a mail, unfolded, in lower case. */
function headersOf({ text }: Mail): readonly string[] {
  return (text.split('\r\n\r\n')[0] ?? '').replaceAll(/\r\n[ \t]+/g, ' ').split('\r\n')
}

describe('smtpChannel', () => {
  test('sends over STARTTLS, logs in, and marks mail as made by a machine', async () => {
    const server = await startServer()
    const channel = await createRealChannel(
      { ...settings(server.port), user: LOGIN.user },
      { CANDOR_SMTP_PASSWORD: LOGIN.password },
    )
    expect(await sendAll(channel, exampleMessage('m'))).toEqual(['sent'])
    const [mail] = server.mails
    expect(mail).toMatchObject({
      from: 'candor@zone.example',
      to: ['noc@zone.example', 'ops@zone.example'],
      secure: true,
      user: LOGIN.user,
    })
    const headers = mail === undefined ? [] : headersOf(mail)
    expect(headers).toContain('Auto-Submitted: auto-generated')
    expect(headers).toContain('X-Candor-Event: new')
    expect(headers).toContain('Subject: [candor] new: about m')
    expect(mail?.text).toContain('One sentence.')
  })

  test('sends over TLS from the first octet', async () => {
    const server = await startServer({ secure: true })
    const channel = await createRealChannel({ ...settings(server.port), security: 'tls' })
    expect(await sendAll(channel, exampleMessage('m'))).toEqual(['sent'])
    expect(server.mails[0]?.secure).toBe(true)
  })

  test('sends nothing without the protection that it was told to have', async () => {
    const server = await startServer({ hideSTARTTLS: true, disabledCommands: ['STARTTLS'] })
    const channel = await createRealChannel(
      { ...settings(server.port), user: LOGIN.user },
      { CANDOR_SMTP_PASSWORD: LOGIN.password },
    )
    const [told] = await sendAll(channel, exampleMessage('m'))
    expect(told).toMatch(/^retry /)
    expect(server.mails).toEqual([])
  })

  test('trusts nobody whom it does not know', async () => {
    const server = await startServer({ secure: true })
    const channel = await createRealChannel({ ...settings(server.port), security: 'tls', authorities: null })
    expect(await sendAll(channel, exampleMessage('m'))).toEqual(['retry ssl_invalid_certificate'])
  })

  test('repeats no password when the login is refused', async () => {
    const server = await startServer()
    const channel = await createRealChannel(
      { ...settings(server.port), user: LOGIN.user },
      { CANDOR_SMTP_PASSWORD: 'other-SECRET' },
    )
    expect(await sendAll(channel, exampleMessage('m'))).toEqual(['retry smtp_login_refused: 535'])
  })

  test('lets no text become a header or a recipient', async () => {
    const server = await startServer()
    const channel = await createRealChannel(settings(server.port))
    const evil = 'title\r\nBcc: victim@zone.example\r\n\r\nbody\u0000\r\n.\r\nMAIL FROM:<x@zone.example>'
    const items = [{ text: evil, url: null, data: {} }]
    expect(await sendAll(channel, exampleMessage('m', { title: evil, lines: [evil], items }))).toEqual(['sent'])
    expect(server.mails).toHaveLength(1)
    const [mail] = server.mails
    expect(mail?.to).toEqual(['noc@zone.example', 'ops@zone.example'])
    const names = (mail === undefined ? [] : headersOf(mail)).map((line) => line.replace(/:.*/, '').toLowerCase())
    expect(new Set(names)).toEqual(
      new Set([
        'auto-submitted',
        'content-transfer-encoding',
        'content-type',
        'date',
        'from',
        'message-id',
        'mime-version',
        'subject',
        'to',
        'x-candor-event',
      ]),
    )
    expect(names).toHaveLength(10)
  })

  test('keeps the Message-ID over attempts, and has another for each recipient', async () => {
    const server = await startServer()
    const channel = await createRealChannel(settings(server.port))
    await sendAll(channel, exampleMessage('m'))
    await sendAll(channel, exampleMessage('m'))
    await sendAll(channel, exampleMessage('m'), 'tor@operator.example')
    const ids = server.mails.map((mail) => headersOf(mail).find((line) => line.startsWith('Message-ID')))
    expect(ids[0]).toMatch(/^Message-ID: <m\.1\.[\da-f]{16}@zone\.example>$/)
    expect(ids[1]).toBe(ids[0])
    expect(ids[2]).not.toBe(ids[0])
    expect(server.mails[2]?.to).toEqual(['tor@operator.example'])
  })

  test.each([
    [550, 'refused smtp_reply: 550'],
    [451, 'retry smtp_reply: 451'],
  ])('takes reply %s for all recipients as it is meant', async (responseCode, expected) => {
    const server = await startServer({
      onRcptTo: (_address, _session, callback) => {
        callback(Object.assign(new Error('no'), { responseCode }))
      },
    })
    const channel = await createRealChannel(settings(server.port))
    expect(await sendAll(channel, exampleMessage('m'))).toEqual([expected])
  })

  test.each(['accepts and says nothing', 'greets and says nothing more', 'drips one octet after the other'])(
    'gives up a server that %s',
    async (behaviour) => {
      const sockets = new Set<Socket>()
      const server = createServer((socket) => {
        sockets.add(socket)
        socket.on('error', () => {})
        if (behaviour.startsWith('greets')) socket.write('220 mail.zone.example\r\n')
        if (!behaviour.startsWith('drips')) return
        const timer = setInterval(() => socket.write('2'), 20)
        socket.on('close', () => {
          clearInterval(timer)
        })
      })
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      onTestFinished(() => {
        for (const socket of sockets) socket.destroy()
        server.close()
      })
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      const channel = await createRealChannel(settings(port), {}, 300)
      expect(await sendAll(channel, exampleMessage('m'))).toEqual(['retry generic_timeout_error'])
    },
  )

  test('says that nobody listens', async () => {
    const channel = await createRealChannel(settings(1))
    expect(await sendAll(channel, exampleMessage('m'))).toEqual(['retry connection_refused'])
  })
})
