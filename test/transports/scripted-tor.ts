/** A control port on loopback that answers as a test tells it to. */
import type { Connection } from '../../src/net/net.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { nodeNet } from '../../src/platform/node-net.ts'
import { createControlClient, type ControlClient } from '../../src/tor/control-client.ts'

/** The port, and a client that is connected to it. */
export interface ScriptedTor extends AsyncDisposable {
  readonly client: ControlClient
  /** Command lines in the order of their arrival. */
  readonly commands: readonly string[]
  /** Sends text as it is; line ends are the caller's. */
  send(text: string): Promise<void>
  /** Ends the connection. */
  hangUp(): void
}

/** @param answer - What to say to a command, line ends included; `undefined` says nothing (yet). */
export async function startScriptedTor(answer: (command: string) => string | undefined): Promise<ScriptedTor> {
  const commands: string[] = []
  const accepted = Promise.withResolvers<Connection>()
  const listener = await nodeNet.listenTcp({ address: '127.0.0.1', port: 0 }, accepted.resolve)
  const client = createControlClient(await nodeNet.connectTcp(listener.local, 5_000), nodeClock)
  const connection = await accepted.promise
  const send = (text: string): Promise<void> => connection.write(new TextEncoder().encode(text))
  const serve = async (): Promise<void> => {
    let rest = ''
    for (let octets = await connection.read(); octets !== undefined; octets = await connection.read()) {
      const lines = (rest + new TextDecoder().decode(octets)).split('\r\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        commands.push(line)
        const reply = answer(line)
        if (reply !== undefined) await send(reply)
      }
    }
  }
  serve().catch(() => {
    connection.close()
  })
  return {
    client,
    commands,
    send,
    hangUp: () => {
      connection.close()
    },
    [Symbol.asyncDispose]: async () => {
      client.close()
      connection.close()
      await listener.close()
    },
  }
}

/** Waits until `isTrue`, at most five seconds. */
export async function until(isTrue: () => boolean): Promise<void> {
  for (let i = 0; i < 1_000 && !isTrue(); i++) await new Promise((resolve) => setTimeout(resolve, 5))
  if (!isTrue()) throw new Error('it did not come true within five seconds')
}
