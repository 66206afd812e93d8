/** A TCP server on loopback that does with each connection what a test tells it to. */
import { NetError, type Connection, type Endpoint } from '../../src/net/net.ts'
import { nodeNet } from '../../src/platform/node-net.ts'

/** The peer, with what a test wants of it. */
export interface TcpPeer extends AsyncDisposable {
  readonly endpoint: Endpoint
  /** How many connections were accepted. */
  readonly accepted: number
}

/** @param script - Runs once per connection; trouble of the network ends it. */
export async function startTcpPeer(script: (connection: Connection) => Promise<void>): Promise<TcpPeer> {
  const open = new Set<Connection>()
  let accepted = 0
  const listener = await nodeNet.listenTcp({ address: '127.0.0.1', port: 0 }, (connection) => {
    accepted++
    open.add(connection)
    script(connection).catch((error: unknown) => {
      if (!(error instanceof NetError)) throw error
    })
  })
  return {
    endpoint: listener.local,
    get accepted() {
      return accepted
    },
    [Symbol.asyncDispose]: async () => {
      for (const connection of open) connection.close()
      await listener.close()
    },
  }
}
