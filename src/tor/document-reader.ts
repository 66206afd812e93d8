/** A control connection for the network documents alone. */
import { connectControl, type ControlAddress } from './control-address.ts'
import { authenticate, readProtocolInfo } from './control-auth.ts'
import type { ControlClient } from './control-client.ts'
import type { TorCapabilities } from './tor-process.ts'

/**
 * Opens a second control connection for the network documents: 30 MiB of descriptors on the first one would hold up
 * every stream event behind them, and that delay would look like an exit's.
 *
 * @throws {ControlError}
 * @throws {NetError}
 */
export async function openDocumentReader(
  machine: TorCapabilities,
  control: ControlAddress,
  password: string | null,
): Promise<ControlClient> {
  const reader = await connectControl(machine.net, machine.clock, control)
  try {
    await authenticate(reader, machine.files, await readProtocolInfo(reader), password)
    await reader.expectOk('SETEVENTS NEWCONSENSUS NEWDESC')
    return reader
  } catch (error) {
    reader.close()
    throw error
  }
}
