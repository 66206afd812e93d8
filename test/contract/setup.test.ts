/** The set-up on a machine that lacks Debian packages: a PATH of our own, with an apt-get that installs empty programs. */
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { HOME } from '../tidy/source-tree.ts'
import { makeTemporaryDirectory } from './temporary-directory.ts'

const isRoot = process.getuid?.() === 0
/** Makes the script believe that it is somebody's; the files here may be out of a real other user's reach. */
const AS_SOMEBODY = ['--import', 'data:text/javascript,process.getuid=()=>1000']

interface Machine {
  readonly directory: string
  run(purpose: 'start' | 'test', asSomebody: boolean): { readonly status: number | null; readonly stderr: string }
}

/** A project whose npm packages are there, on a machine with these programs. */
function createMachine(programs: readonly string[]): Machine {
  const directory = makeTemporaryDirectory()
  const bin = join(directory, 'usr/bin')
  mkdirSync(join(directory, 'scripts'))
  mkdirSync(join(directory, 'node_modules/node/bin'), { recursive: true })
  mkdirSync(bin, { recursive: true })
  for (const script of ['setup.mjs', 'build-native.mjs'])
    cpSync(join(HOME, 'scripts', script), join(directory, 'scripts', script))
  for (const [part, file] of [
    ['native', 'bulk-sockets.c'],
    ['build/native', 'bulk-sockets.node'],
    ['node_modules/node-api-headers/include', 'node_api.h'],
  ] as const) {
    mkdirSync(join(directory, part), { recursive: true })
    writeFileSync(join(directory, part, file), '')
  }
  for (const lock of ['package-lock.json', 'node_modules/.package-lock.json'])
    writeFileSync(join(directory, lock), '{"packages":{}}')
  writeFileSync(join(directory, 'node_modules/node/bin/node'), '')
  symlinkSync('/usr/bin/env', join(bin, 'env'))
  for (const program of programs) writeProgram(join(bin, program), '')
  if (programs.includes('apt-get')) {
    // Like the real one, it installs nothing when one name is unknown.
    const refuse = 'for word; do [ "$word" != chromium ] || exit 100; done'
    const install = 'for word; do case $word in -*|install|update) ;; *) echo > "${0%/*}/$word" ;; esac; done'
    writeProgram(join(bin, 'apt-get'), `echo "$@" >> "${directory}/apt.log"\n${refuse}\n${install}`)
  }
  return {
    directory,
    run: (purpose, asSomebody) => {
      const args = [...(asSomebody ? AS_SOMEBODY : []), join(directory, 'scripts/setup.mjs'), purpose]
      const { status, stderr } = spawnSync(process.execPath, args, {
        encoding: 'utf8',
        env: { PATH: bin },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      return { status, stderr }
    },
  }
}

function writeProgram(path: string, script: string): void {
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
}

describe('scripts/setup.mjs', () => {
  test.runIf(isRoot)('says what is missing and installs it, as root', () => {
    const machine = createMachine(['apt-get', 'unbound'])
    const { status, stderr } = machine.run('start', false)
    expect(status).toBe(0)
    expect(stderr).toContain('the Debian package tor is missing')
    expect(stderr).toContain('running apt-get install --yes --no-install-recommends tor')
    expect(stderr).toContain('everything is there')
    const [update = '', install = ''] = readFileSync(join(machine.directory, 'apt.log'), 'utf8').split('\n')
    expect(update).toContain('update')
    expect(install).toMatch(/install .*tor$/)
  })

  test.runIf(isRoot)('installs the others when one cannot be installed, as root', () => {
    const machine = createMachine([
      'apt-get',
      'unbound',
      'openssl',
      'dnsdist',
      'knotd',
      'smartdns',
      'nft',
      'ip',
      'zmap',
    ])
    const { status, stderr } = machine.run('test', false)
    expect(status).toBe(0)
    expect(stderr).toContain('apt-get install ended with status 100')
    expect(stderr).toContain('missing: chromium')
    expect(existsSync(join(machine.directory, 'usr/bin/tor'))).toBe(true)
  })

  test('prints the command and goes on, without root and without a terminal', () => {
    const machine = createMachine(['apt-get', 'sudo'])
    const { status, stderr } = machine.run('start', true)
    expect(status).toBe(0)
    expect(stderr).toContain('to install: sudo apt-get install --yes --no-install-recommends tor unbound')
    expect(stderr).toContain('missing: tor, unbound')
    expect(existsSync(join(machine.directory, 'apt.log'))).toBe(false)
  })

  test('names the packages where there is no apt-get', () => {
    const { status, stderr } = createMachine(['tor']).run('start', true)
    expect(status).toBe(0)
    expect(stderr).toContain('install unbound with the package manager of this system')
  })

  test('says why it builds no sockets of our own, without a compiler', () => {
    const machine = createMachine(['tor', 'unbound'])
    rmSync(join(machine.directory, 'build'), { recursive: true })
    const { status, stderr } = machine.run('start', true)
    expect(status).toBe(0)
    expect(stderr).toContain('candor bulk uses the sockets of Node: there is no C compiler')
  })
  test('installs nothing where nothing is missing, and asks for more before tests', () => {
    const machine = createMachine(['tor', 'unbound'])
    expect(machine.run('start', true).stderr).toBe('setup: everything is there\n')
    expect(machine.run('test', true).stderr).toContain('chromium')
  })
})
