/** A network namespace of its own, with loopback up: nothing that happens in it reaches the machine's own rules. */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What a command said. */
export interface CommandResult {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** A namespace that lasts until it is closed. */
export interface NetworkNamespace extends AsyncDisposable {
  /** Runs a command in it. */
  run(command: string, args: readonly string[]): Promise<CommandResult>
  /** Starts a command in it. */
  start(command: string, args: readonly string[]): ChildProcess
}

/** @returns `undefined` where the machine allows no namespace or has no nft. */
export async function openNetworkNamespace(): Promise<NetworkNamespace | undefined> {
  const holder = spawn('unshare', ['--net', '--', 'sleep', '600'], { stdio: 'ignore' })
  const failed = once(holder, 'exit').then(
    () => true,
    () => true,
  )
  holder.on('error', () => {})
  const enter = (command: string, args: readonly string[]): readonly string[] => [
    '--target',
    String(holder.pid),
    '--net',
    '--',
    command,
    ...args,
  ]
  const namespace: NetworkNamespace = {
    run: async (command, args) => {
      try {
        const { stdout, stderr } = await run('nsenter', enter(command, args), { timeout: 60_000 })
        return { status: 0, stdout, stderr }
      } catch (error) {
        const { code, stdout = '', stderr = '' } = error as { code?: unknown; stdout?: string; stderr?: string }
        return { status: typeof code === 'number' ? code : -1, stdout, stderr }
      }
    },
    start: (command, args) => spawn('nsenter', enter(command, args), { stdio: ['ignore', 'pipe', 'pipe'] }),
    [Symbol.asyncDispose]: async () => {
      holder.kill('SIGKILL')
      await failed
    },
  }
  if (holder.pid === undefined) return undefined
  for (let tries = 0; tries < 50; tries++) {
    const { status } = await namespace.run('ip', ['link', 'set', 'lo', 'up'])
    const isOwn =
      (await namespace.run('readlink', ['/proc/self/ns/net'])).stdout !==
      (await run('readlink', ['/proc/self/ns/net'])).stdout
    if (status === 0 && isOwn && (await namespace.run('nft', ['list', 'tables'])).status === 0) return namespace
    if (await Promise.race([failed, new Promise<boolean>((resolve) => setTimeout(resolve, 20, false))])) break
  }
  await namespace[Symbol.asyncDispose]()
  return undefined
}
