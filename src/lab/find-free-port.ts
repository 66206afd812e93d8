/** Ports that the system chooses, for programs that must be told where to listen. */
import { type Endpoint, type Net, NetError } from '../net/net.ts'

const TRIES_MAX = 20

/**
 * Finds a port of an address that is free for UDP and TCP, a moment ago at least.
 *
 * @throws {NetError} When the address is not ours.
 */
export async function findFreePort(net: Net, address: string): Promise<Endpoint> {
  for (let tries = 1; ; tries++) {
    const listener = await net.listenTcp({ address, port: 0 }, (connection) => {
      connection.close()
    })
    await listener.close()
    try {
      const udp = await net.bindUdp(listener.local, { onDatagram: () => {}, onError: () => {} })
      udp.close()
      return listener.local
    } catch (error) {
      if (!(error instanceof NetError) || tries >= TRIES_MAX) throw error
    }
  }
}
