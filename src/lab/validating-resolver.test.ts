import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startAuthority } from '../authority/authority-server.ts'
import { createSeededRandom } from '../core/random.ts'
import { parseName, type Name } from '../dns/name.ts'
import { TYPE_A } from '../dns/rr-type.ts'
import type { Endpoint } from '../net/net.ts'
import { nodeClock } from '../platform/node-clock.ts'
import { nodeFiles } from '../platform/node-files.ts'
import { nodeNet } from '../platform/node-net.ts'
import { nodeProcesses } from '../platform/node-processes.ts'
import { findFreePort } from './find-free-port.ts'
import { makeSignedZone } from './lab-zones.ts'
import { RIGHT_BEHAVIOUR } from './resolver-behaviour.ts'
import { createUpstreamClient } from './upstream-client.ts'
import { startValidatingResolver } from './validating-resolver.ts'

const unbound = await nodeProcesses.which('unbound')
const machine = {
  net: nodeNet,
  clock: nodeClock,
  random: createSeededRandom('validating'),
  files: nodeFiles,
  processes: nodeProcesses,
}

function nameOf(text: string): Name {
  const name = parseName(text)
  if (name === undefined) throw new Error(`no name ${text}`)
  return name
}

describe.skipIf(unbound === undefined)('startValidatingResolver (needs unbound: apt-get install unbound)', () => {
  test('resolves a zone that we signed, wildcards too, and refuses the bogus one', async () => {
    const good = await makeSignedZone('signed.test', nodeClock.wallNowMs(), false)
    const bogus = await makeSignedZone('bogus.test', nodeClock.wallNowMs(), true)
    const authority = await startAuthority({
      net: nodeNet,
      clock: nodeClock,
      zones: [good.config, bogus.config],
      listen: [{ address: '127.9.7.1', port: 0 }],
      log: { record: () => {} },
    })
    const directory = await mkdtemp(join(tmpdir(), 'candor-unbound-'))
    const resolver = await startValidatingResolver(machine, {
      unbound: unbound ?? '',
      directory,
      listen: await findFreePort(nodeNet, '127.9.7.53'),
      zones: ['signed.test', 'bogus.test'].map((name) => ({
        name: nameOf(name),
        authority: authority.endpoints[0] as Endpoint,
        measured: false,
      })),
      trustAnchors: [good.trustAnchor, bogus.trustAnchor],
    })
    const client = await createUpstreamClient(machine, '127.9.7.2', {
      ...RIGHT_BEHAVIOUR.asking,
      recursionDesired: true,
    })
    const askRcode = async (text: string): Promise<number | undefined> =>
      (await client.ask(resolver.endpoint, [], nameOf(text), TYPE_A))?.header.rcode
    try {
      expect(await askRcode('a.b.signed.test')).toBe(0)
      expect(await askRcode('signed.test')).toBe(0)
      expect(await askRcode('a.b.bogus.test')).toBe(2)
      expect(await askRcode('qzkx.invalid')).toBe(3)
    } finally {
      client.close()
      await resolver.close()
      await authority.close()
      await rm(directory, { recursive: true })
    }
  })
})
