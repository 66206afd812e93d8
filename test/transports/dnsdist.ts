/** A real dnsdist on loopback, over TLS and HTTPS, in front of a server of ours. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serveDns, type DnsHandler, type DnsServer } from '../../src/lab/serve-dns.ts'
import type { Endpoint } from '../../src/net/net.ts'
import { nodeNet } from '../../src/platform/node-net.ts'
import { nodeProcesses } from '../../src/platform/node-processes.ts'
import type { CertificateFiles } from './test-certificates.ts'

/** Whether it is installed; tests say what to install otherwise. */
export const hasDnsdist: boolean =
  (await nodeProcesses.which('dnsdist')) !== undefined && (await nodeProcesses.which('openssl')) !== undefined

/** A server that serves. */
export interface Dnsdist extends AsyncDisposable {
  readonly tls: Endpoint
  readonly https: Endpoint
  /** Ends it and starts it again on the same ports. */
  restart(): Promise<void>
}

/** Starts it. @param answer - What stands behind it. */
export async function startDnsdist(files: CertificateFiles, answer: DnsHandler): Promise<Dnsdist> {
  const backend = await serveDns(nodeNet, { address: '127.0.0.1', port: 0 }, answer)
  for (let tries = 1; ; tries++) {
    try {
      return await startOnFreePorts(files, backend)
    } catch (error) {
      // Somebody else may take a port between our finding it and the server's using it.
      if (tries >= 5) throw error
    }
  }
}

async function startOnFreePorts(files: CertificateFiles, backend: DnsServer): Promise<Dnsdist> {
  const directory = mkdtempSync(join(tmpdir(), 'candor-dnsdist-'))
  const [plain, tls, https] = [await findPort(), await findPort(), await findPort()]
  const path = join(directory, 'dnsdist.conf')
  writeFileSync(
    path,
    `setSecurityPollSuffix("")
setLocal("127.0.0.1:${plain}")
addTLSLocal("127.0.0.1:${tls}", "${files.certificate}", "${files.key}", {maxInFlight=1000})
addDOHLocal("127.0.0.1:${https}", "${files.certificate}", "${files.key}", "/dns-query")
newServer({address="127.0.0.1:${backend.endpoint.port}", healthCheckMode="up", useClientSubnet=false})
`,
  )
  let child: ChildProcess | undefined
  const stop = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }
  const start = async (): Promise<void> => {
    const started = spawn('dnsdist', ['--supervised', '--disable-syslog', '-C', path], { stdio: 'ignore' })
    child = started
    for (const port of [tls, https]) await waitForPort(port, started)
  }
  await start()
  return {
    tls: { address: '127.0.0.1', port: tls },
    https: { address: '127.0.0.1', port: https },
    restart: async () => {
      await stop()
      await start()
    },
    [Symbol.asyncDispose]: async () => {
      await stop()
      await backend.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function findPort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function waitForPort(port: number, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 200 && child.exitCode === null; tries++) {
    try {
      const connection = await nodeNet.connectTcp({ address: '127.0.0.1', port }, 1_000)
      connection.close()
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  throw new Error(`dnsdist does not listen on ${port}`)
}
