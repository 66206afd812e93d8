/**
 * Builds the sockets of `candor bulk` with the system's C compiler; without one the command uses Node's own sockets.
 *
 * Parses and runs on Node 18 to 20.
 *
 * Usage: node scripts/build-native.mjs [--prebuild]
 *   --prebuild  for the published package, into prebuilds/<platform>-<processor>/; fails where it cannot be built
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const HOME = dirname(dirname(fileURLToPath(import.meta.url)))
const SOURCE = join(HOME, 'native/bulk-sockets.c')
const HEADERS = join(HOME, 'node_modules/node-api-headers/include')
const FLAGS = ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-shared', '-fPIC', '-fvisibility=hidden', '-s']

/**
 * Builds what is missing or older than its source.
 *
 * @param {string} directory - Where the result goes, from the top of the project.
 * @returns {string | undefined} Why there is none; `undefined` when there is one.
 */
export function buildNative(directory) {
  if (process.platform !== 'linux') return `${process.platform} has no sendmmsg`
  if (!existsSync(SOURCE)) return 'its source is not here'
  const target = join(HOME, directory, 'bulk-sockets.node')
  if (existsSync(target) && statSync(target).mtimeMs >= statSync(SOURCE).mtimeMs) return undefined
  if (!existsSync(HEADERS)) return 'the npm package node-api-headers is missing'
  mkdirSync(dirname(target), { recursive: true })
  // Whoever has the old file loaded keeps it; nobody loads half a file.
  const made = `${target}.${process.pid}`
  for (const compiler of ['cc', 'gcc', 'clang']) {
    const { error, status, stderr } = spawnSync(compiler, [...FLAGS, '-I', HEADERS, SOURCE, '-o', made], {
      encoding: 'utf8',
    })
    if (error !== undefined) continue
    if (status !== 0) return `${compiler} cannot build it: ${stderr.trim().split('\n')[0]}`
    renameSync(made, target)
    return undefined
  }
  return 'there is no C compiler'
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const isPrebuild = process.argv.includes('--prebuild')
  const directory = isPrebuild ? `prebuilds/${process.platform}-${process.arch}` : 'build/native'
  const reason = buildNative(directory)
  if (reason !== undefined) {
    process.stderr.write(`setup: candor bulk uses the sockets of Node: ${reason}\n`)
    if (isPrebuild) process.exitCode = 1
  }
}
