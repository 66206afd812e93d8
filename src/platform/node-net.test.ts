import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { connect as connectRaw, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Connection, Endpoint } from '../net/net.ts'
import { nodeNet } from './node-net.ts'
import { nodeProcesses } from './node-processes.ts'

const LOCAL: Endpoint = { address: '127.0.0.1', port: 0 }
const octets = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (value: Uint8Array | undefined): string | undefined => value && new TextDecoder().decode(value)

/** A connection of ours and the raw socket at its other end. */
async function connectedPair(): Promise<{ connection: Connection; peer: Socket }> {
  const { promise, resolve } = Promise.withResolvers<Socket>()
  const server = createServer({ allowHalfOpen: true }, resolve)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  onTestFinished(() => void server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no address')
  const connection = await nodeNet.connectTcp({ address: '127.0.0.1', port: address.port }, 5_000)
  const peer = await promise
  peer.on('error', () => {})
  onTestFinished(() => {
    connection.close()
    peer.destroy()
  })
  return { connection, peer }
}

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'candor-net-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  return directory
}

describe('nodeNet.bindUdp', () => {
  test.each(['127.0.0.1', '::1'])('sends and receives plain octets on %s', async (address) => {
    const { promise, resolve } = Promise.withResolvers<[Uint8Array, Endpoint]>()
    const onError = (): void => {}
    const receiver = await nodeNet.bindUdp(
      { address, port: 0 },
      {
        onDatagram: (...datagram) => {
          resolve(datagram)
        },
        onError,
      },
    )
    const sender = await nodeNet.bindUdp({ address, port: 0 }, { onDatagram: () => {}, onError })
    await sender.send(octets('hello'), receiver.local)
    const [received, from] = await promise
    expect(Object.getPrototypeOf(received)).toBe(Uint8Array.prototype)
    expect(text(received)).toBe('hello')
    expect(from).toEqual(sender.local)
    sender.close()
    sender.close()
    await expect(sender.send(octets('x'), receiver.local)).rejects.toMatchObject({ failure: 'interrupted' })
    receiver.close()
  })

  test('names why a socket could not be bound or a datagram not sent', async () => {
    const handlers = { onDatagram: () => {}, onError: () => {} }
    const socket = await nodeNet.bindUdp(LOCAL, handlers)
    onTestFinished(() => {
      socket.close()
    })
    await expect(nodeNet.bindUdp(socket.local, handlers)).rejects.toMatchObject({ failure: 'address_in_use' })
    await expect(nodeNet.bindUdp({ address: '192.0.2.1', port: 0 }, handlers)).rejects.toMatchObject({
      failure: 'address_not_available',
    })
    await expect(socket.send(new Uint8Array(70_000), socket.local)).rejects.toMatchObject({ failure: 'message_size' })
  })
})

describe('nodeNet.connectTcp', () => {
  test('reports a closed port as connection_refused', async () => {
    const listener = await nodeNet.listenTcp(LOCAL, () => {})
    await listener.close()
    await expect(nodeNet.connectTcp(listener.local, 5_000)).rejects.toMatchObject({
      name: 'NetError',
      failure: 'connection_refused',
    })
  })

  test('treats a host name as a bug', () => {
    expect(() => nodeNet.connectTcp({ address: 'localhost', port: 1 }, 100)).toThrow('IP address')
  })

  test('gives up after its time on a peer that does not answer', async () => {
    // A stopped process whose queue of connections is full: the system drops what else comes.
    const script = `const s = require('net').createServer()
      s.listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => console.log(s.address().port))`
    const { promise, resolve } = Promise.withResolvers<number>()
    const child = await nodeProcesses.start(process.execPath, ['-e', script], {
      onLine: (line) => {
        resolve(Number(line))
      },
    })
    onTestFinished(() => {
      child.kill('SIGKILL')
    })
    const endpoint = { address: '127.0.0.1', port: await promise }
    child.kill('SIGSTOP')
    const failures: unknown[] = []
    for (let i = 0; i < 8 && failures.length === 0; i++) {
      await nodeNet.connectTcp(endpoint, 250).then(
        (connection) => {
          onTestFinished(() => {
            connection.close()
          })
        },
        (error: unknown) => failures.push(error),
      )
    }
    expect(failures).toMatchObject([{ name: 'NetError', failure: 'generic_timeout_error' }])
  })
})

describe('Connection', () => {
  test('reads what arrives, then undefined after the peer has finished, and still writes', async () => {
    const { connection, peer } = await connectedPair()
    peer.write('one')
    const first = await connection.read()
    expect(Object.getPrototypeOf(first)).toBe(Uint8Array.prototype)
    expect(text(first)).toBe('one')
    peer.end('two')
    expect(text(await connection.read())).toBe('two')
    expect(await connection.read()).toBeUndefined()
    expect(await connection.read()).toBeUndefined()
    const received = new Promise<string>((resolve) =>
      peer.once('data', (chunk) => {
        resolve(String(chunk))
      }),
    )
    await connection.write(octets('three'))
    expect(await received).toBe('three')
  })

  test('returns undefined from a pending read when it is closed here', async () => {
    const { connection } = await connectedPair()
    const pending = connection.read()
    connection.close()
    expect(await pending).toBeUndefined()
    await expect(connection.write(octets('x'))).rejects.toMatchObject({ failure: 'interrupted' })
  })

  test('allows one read at a time', async () => {
    const { connection } = await connectedPair()
    const pending = connection.read()
    await expect(connection.read()).rejects.toThrow('one read at a time')
    connection.close()
    await pending
  })

  test('reports a reset, and goes on reporting it', async () => {
    const { connection, peer } = await connectedPair()
    const pending = connection.read()
    peer.resetAndDestroy()
    await expect(pending).rejects.toMatchObject({ failure: 'connection_reset' })
    await expect(connection.read()).rejects.toMatchObject({ failure: 'connection_reset' })
    await expect(connection.write(octets('x'))).rejects.toMatchObject({ failure: 'connection_reset' })
  })

  test('stops a peer that sends more than is read', async () => {
    const { connection, peer } = await connectedPair()
    const total = 64 * 1_048_576
    const chunk = Buffer.alloc(1_048_576)
    for (let sent = 0; sent < total; sent += chunk.length) peer.write(chunk)
    peer.end()
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(peer.bytesWritten - peer.writableLength).toBeLessThan(total)
    let received = 0
    for (let part = await connection.read(); part !== undefined; part = await connection.read()) received += part.length
    expect(received).toBe(total)
  })

  test('tells the peer that we have finished while reading goes on', async () => {
    const { connection, peer } = await connectedPair()
    const ended = new Promise<void>((resolve) => peer.once('end', resolve))
    peer.resume()
    connection.finish()
    await ended
    peer.write('answer')
    expect(text(await connection.read())).toBe('answer')
  })
})

describe('nodeNet.listenTcp', () => {
  test('stops listening at once while open connections go on', async () => {
    const { promise, resolve } = Promise.withResolvers<Connection>()
    const listener = await nodeNet.listenTcp(LOCAL, resolve)
    const client = await nodeNet.connectTcp(listener.local, 5_000)
    const server = await promise
    await listener.close()
    await expect(nodeNet.connectTcp(listener.local, 5_000)).rejects.toMatchObject({ failure: 'connection_refused' })
    await server.write(octets('still here'))
    expect(text(await client.read())).toBe('still here')
    expect(server.remote).toEqual(client.local)
    expect(server.local).toEqual(client.remote)
    client.close()
    server.close()
  })

  test('says address_in_use for a port that is taken', async () => {
    const listener = await nodeNet.listenTcp(LOCAL, () => {})
    await expect(nodeNet.listenTcp(listener.local, () => {})).rejects.toMatchObject({ failure: 'address_in_use' })
    await listener.close()
  })
})

describe('nodeNet.listenUnix', () => {
  test('listens with mode 0600, refuses a second listener, and goes away when closed', async () => {
    const path = join(await temporaryDirectory(), 's')
    const listener = await nodeNet.listenUnix({ path }, (connection) => {
      void connection.write(octets('hi')).then(() => {
        connection.close()
      })
    })
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    const client = await nodeNet.connectUnix({ path }, 5_000)
    expect(text(await client.read())).toBe('hi')
    expect(client.remote).toEqual({ address: '', port: 0 })
    client.close()
    await expect(nodeNet.listenUnix({ path }, () => {})).rejects.toMatchObject({ failure: 'address_in_use' })
    await listener.close()
    await expect(nodeNet.connectUnix({ path }, 1_000)).rejects.toMatchObject({ failure: 'connection_refused' })
  })

  test('replaces the socket of a dead process but never another file', async () => {
    const directory = await temporaryDirectory()
    const dead = join(directory, 'dead')
    await leaveDeadSocket(dead)
    const listener = await nodeNet.listenUnix({ path: dead }, () => {})
    await listener.close()
    const file = join(directory, 'file')
    await writeFile(file, 'precious')
    await expect(nodeNet.listenUnix({ path: file }, () => {})).rejects.toMatchObject({ failure: 'address_in_use' })
    expect((await stat(file)).size).toBe(8)
  })
})

/** Makes a socket file whose owner was killed. */
async function leaveDeadSocket(path: string): Promise<void> {
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`
  const { promise, resolve } = Promise.withResolvers<void>()
  const child = await nodeProcesses.start(process.execPath, ['-e', script], {
    onLine: () => {
      resolve()
    },
  })
  await promise
  child.kill('SIGKILL')
  await child.exited
  await new Promise<void>((done) =>
    connectRaw(path).on('error', () => {
      done()
    }),
  )
}
