/**
 * Joins two byte streams: what one end says, the other hears.
 *
 * Invariant: holds one read per direction; a slow reader slows the writer at the other end (back-pressure).
 */
import { NetError, type Connection } from './net.ts'

/**
 * Passes octets in both directions until both ends have finished, or one of them breaks.
 *
 * @returns When both connections are closed. Never rejects for trouble of the network.
 */
export async function pipeConnections(a: Connection, b: Connection): Promise<void> {
  const close = (): void => {
    a.close()
    b.close()
  }
  await Promise.all([pipe(a, b, close), pipe(b, a, close)])
  close()
}

async function pipe(from: Connection, to: Connection, onBroken: () => void): Promise<void> {
  try {
    for (let octets = await from.read(); octets !== undefined; octets = await from.read()) await to.write(octets)
    to.finish()
  } catch (error) {
    onBroken()
    if (!(error instanceof NetError)) throw error
  }
}
