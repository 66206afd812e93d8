/** A private Tor network of seven real relays: complete, controllable, and gone with the process that built it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { silentLog } from '../../src/core/log.ts'
import type { TorNetworkMachine, TorNetworkProgress } from '../../src/lab/tor-network-options.ts'
import { startTorNetwork } from '../../src/lab/tor-network.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { nodeFiles } from '../../src/platform/node-files.ts'
import { nodeNet } from '../../src/platform/node-net.ts'
import { nodeProcesses } from '../../src/platform/node-processes.ts'

const hasTor =
  (await nodeProcesses.which('tor')) !== undefined && (await nodeProcesses.which('tor-gencert')) !== undefined

function createMachine(): TorNetworkMachine {
  return {
    clock: nodeClock,
    files: nodeFiles,
    net: nodeNet,
    processes: nodeProcesses,
    log: silentLog,
  }
}

describe.skipIf(!hasTor)('startTorNetwork (needs tor and tor-gencert: apt-get install tor)', () => {
  test('brings up 3 + 1 + 3 relays, freezes, thaws and expels one, and ends them all', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'candor-lab-'))
    const seen: TorNetworkProgress[] = []
    const network = await startTorNetwork(createMachine(), {
      directory,
      block: 7,
      authorities: 3,
      middles: [{ nickname: 'middle1', delayMs: 0 }],
      exits: ['exit1', 'exit2', 'exit3'].map((nickname) => ({
        nickname,
        resolvConf: (address) => Promise.resolve(`nameserver ${address}:53053\n`),
      })),
      onProgress: (progress) => seen.push(progress),
    })
    try {
      expect(network.relays.map((relay) => relay.nickname)).toEqual(
        'authority1 authority2 authority3 middle1 exit1 exit2 exit3'.split(' '),
      )
      expect(new Set(network.relays.map((relay) => relay.address.split('.', 2).join('.'))).size).toBe(7)
      expect(network.torrcAppend.filter((line) => line.startsWith('DirAuthority '))).toHaveLength(3)
      expect(network.torrcAppend).toContain('ClientDNSRejectInternalAddresses 1')
      expect(seen.at(-1)).toEqual({ step: 'consensus', done: 7, total: 7 })

      const exit = network.relay('exit2')
      await exit.freeze()
      expect(await stateOf(exit.pid)).toBe('T')
      await exit.thaw()
      expect(await stateOf(exit.pid)).not.toBe('T')

      await network.expel('exit3')
      await network.relay('exit1').kill()
      expect(await nodeProcesses.commandLine(network.relay('exit1').pid)).toBeUndefined()
    } finally {
      await network.stop()
      await rm(directory, { recursive: true })
    }
    for (const relay of network.relays) expect(await nodeProcesses.commandLine(relay.pid)).toBeUndefined()
  })
})

/** @returns The state letter of a process: `T` when it is stopped. */
async function stateOf(pid: number): Promise<string | undefined> {
  const status = new TextDecoder().decode(await nodeFiles.read(`/proc/${pid}/status`, 100_000))
  return /^State:\s+(\S)/m.exec(status)?.[1]
}
