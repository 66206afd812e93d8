/** The command as a process: what only a process shows. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, symlinkSync, writeFileSync, chmodSync, cpSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { HOME, readText } from '../tidy/source-tree.ts'
import { makeTemporaryDirectory } from './temporary-directory.ts'

const COMMAND = join(HOME, 'bin/candor')

interface Outcome {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

function run(command: string, args: readonly string[], environment: NodeJS.ProcessEnv = process.env): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(command, args, { env: environment }, (_error, stdout, stderr) => {
      resolve({ status: child.exitCode ?? -1, stdout, stderr })
    })
  })
}

describe('bin/candor', () => {
  test('starts through a chain of links from anywhere', async () => {
    const directory = makeTemporaryDirectory()
    symlinkSync(COMMAND, join(directory, 'first'))
    symlinkSync('first', join(directory, 'candor'))
    const { version } = JSON.parse(readText('package.json')) as { readonly version: string }
    expect(await run(join(directory, 'candor'), ['--version'])).toEqual({
      status: 0,
      stdout: `${version}\n`,
      stderr: '',
    })
  })

  test('hands on arguments with spaces and the exit status', async () => {
    const outcome = await run(COMMAND, ['config', 'check', '--shard', '3 of 3'])
    expect(outcome.status).toBe(2)
    expect(outcome.stderr).toContain('--shard 3 of 3')
  })

  test('says in one sentence that a Node is too old', async () => {
    const home = makeTemporaryDirectory()
    mkdirSync(join(home, 'bin'))
    mkdirSync(join(home, 'path'))
    cpSync(COMMAND, join(home, 'bin/candor'))
    writeFileSync(join(home, 'path/node'), '#!/bin/sh\n[ "$1" = --version ] && echo v20.1.0 || echo 20\n')
    chmodSync(join(home, 'path/node'), 0o755)
    const outcome = await run(join(home, 'bin/candor'), ['--version'], { PATH: `${home}/path:/usr/bin:/bin` })
    expect(outcome).toMatchObject({ status: 1, stdout: '' })
    expect(outcome.stderr.trim().split('\n')).toHaveLength(1)
    expect(outcome.stderr).toContain('needs Node 24')
  })

  test('ends cleanly when the reader of stdout is gone', async () => {
    const child = spawn(COMMAND, ['config', 'check', '--help'], { stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.destroy()
    let stderr = ''
    child.stderr.on('data', (text: Buffer) => {
      stderr += text.toString()
    })
    const [status] = (await once(child, 'close')) as [number]
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })
})
