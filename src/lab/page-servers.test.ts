import { describe, expect, test } from 'vitest'
import { nodeNet } from '../platform/node-net.ts'
import { startPageServers } from './page-servers.ts'

describe('startPageServers', () => {
  test('serves a page that names who asked, and ends the connection', async () => {
    const pages = await startPageServers(nodeNet, '127.9.6.82')
    const connection = await nodeNet.connectTcp(pages.web, 1_000)
    await connection.write(new TextEncoder().encode('GET / HTTP/1.1\r\nHost: x\r\n'))
    await connection.write(new TextEncoder().encode('\r\n'))
    let text = ''
    for (let octets = await connection.read(); octets !== undefined; octets = await connection.read()) {
      text += new TextDecoder().decode(octets)
    }
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(text).toContain(`You come from ${connection.local.address}.`)
    expect(text.split('\r\n\r\n')[1]).toHaveLength(Number(/Content-Length: (\d+)/.exec(text)?.[1]))
    await pages.close()
  })
})
