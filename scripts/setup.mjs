/**
 * Installs what is missing: npm packages by `npm ci`, Debian packages by apt-get.
 *
 * Parses and runs on Node 18 to 20: it is what brings the pinned Node.
 *
 * Usage: node scripts/setup.mjs [start|test]
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { fileURLToPath } from 'node:url'
import { buildNative } from './build-native.mjs'

/** The top of the project. */
export const HOME = dirname(dirname(fileURLToPath(import.meta.url)))

/** The Node that everything but the first steps runs on. */
export const PINNED_NODE = join(HOME, 'node_modules/node/bin/node')

/** Debian package → the program that shows it is there, what it is for, and whether `npm start` uses it too. */
const SYSTEM_PACKAGES = [
  { name: 'tor', program: 'tor', purpose: 'the laboratory and every run over Tor exits', forStart: true },
  {
    name: 'unbound',
    program: 'unbound',
    purpose: 'a validating resolver behind one exit of the laboratory',
    forStart: true,
  },
  { name: 'dnsdist', program: 'dnsdist', purpose: 'the tests of DNS over TLS, as the other side', forStart: false },
  { name: 'knot', program: 'knotd', purpose: 'the tests of candor query, as the other side', forStart: false },
  { name: 'openssl', program: 'openssl', purpose: 'the certificates of those tests', forStart: false },
  { name: 'smartdns', program: 'smartdns', purpose: 'the tests of SmartDNS as a child process', forStart: false },
  { name: 'nftables', program: 'nft', purpose: 'the tests of address sets', forStart: false },
  { name: 'iproute2', program: 'ip', purpose: 'the network namespaces of those tests', forStart: false },
  { name: 'zmap', program: 'zmap', purpose: 'the tests of ZMap as a child process', forStart: false },
  { name: 'chromium', program: 'chromium', purpose: 'the tests of the pages', forStart: false },
]

/**
 * Installs npm packages and Debian packages, and builds the native sockets where there is a compiler.
 *
 * @param {'start' | 'test'} purpose - What follows; tests need more.
 * @returns {Promise<readonly string[]>} Names of Debian packages that are still missing.
 */
export async function setUp(purpose) {
  installNpmPackages()
  const reason = buildNative('build/native')
  if (reason !== undefined) say(`candor bulk uses the sockets of Node: ${reason}`)
  return installSystemPackages(purpose)
}

function installNpmPackages() {
  const reason = whyNpmPackagesAreMissing()
  if (reason === undefined) return
  say(`installing npm packages (${reason})`)
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: HOME,
    stdio: ['ignore', 2, 2],
    // What npm tells its scripts must not steer the npm that a script starts.
    env: { ...process.env, npm_config_ignore_scripts: 'false' },
  })
  if (status !== 0) fail('`npm ci` failed; the lines above say why')
  if (!existsSync(PINNED_NODE))
    fail(`npm did not install the pinned Node (${PINNED_NODE} is missing); run \`npm ci\` by hand`)
}

/** Compares the lock file with what npm says it has installed. */
function whyNpmPackagesAreMissing() {
  if (!existsSync(PINNED_NODE)) return 'there are none yet'
  const wanted = readPackages(join(HOME, 'package-lock.json'))
  const present = readPackages(join(HOME, 'node_modules/.package-lock.json'))
  const changed = Object.entries(wanted).find(
    ([path, { version, optional, peer }]) =>
      path !== '' && !optional && !peer && (present[path] === undefined || present[path].version !== version),
  )
  return changed && `${changed[0].replace('node_modules/', '')} is not the one of the lock file`
}

function readPackages(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages
  } catch {
    return {}
  }
}

async function installSystemPackages(purpose) {
  const missing = SYSTEM_PACKAGES.filter(
    ({ program, forStart }) => (forStart || purpose === 'test') && !isInPath(program),
  )
  if (missing.length === 0) return []
  const names = missing.map(({ name }) => name)
  for (const { name, purpose: use } of missing) say(`the Debian package ${name} is missing: ${use}`)
  const command = `apt-get install --yes --no-install-recommends ${names.join(' ')}`
  if (!isInPath('apt-get')) {
    say(`install ${names.join(', ')} with the package manager of this system; going on without`)
    return names
  }
  const isRoot = process.getuid?.() === 0
  if (!isRoot && !(isInPath('sudo') && (await confirm(`Run \`sudo ${command}\` now? [y/N] `)))) {
    say(`to install: sudo ${command}`)
    say('going on without')
    return names
  }
  say(`running ${isRoot ? '' : 'sudo '}${command}`)
  runApt(isRoot, ['update', '--quiet'])
  const install = ['install', '--yes', '--quiet', '--no-install-recommends']
  // One name that this system does not know would keep the others from being installed.
  if (!runApt(isRoot, [...install, ...names]) && names.length > 1)
    for (const name of names) runApt(isRoot, [...install, name])
  return missing.filter(({ program }) => !isInPath(program)).map(({ name }) => name)
}

/** @returns {boolean} Whether it ended well. */
function runApt(isRoot, args) {
  const environment = ['DEBIAN_FRONTEND=noninteractive']
  const [command, before] = isRoot ? ['env', []] : ['sudo', ['env']]
  const { status } = spawnSync(command, [...before, ...environment, 'apt-get', ...args], { stdio: ['inherit', 2, 2] })
  if (status !== 0) say(`apt-get ${args[0]} ended with status ${status}`)
  return status === 0
}

async function confirm(question) {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return false
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await terminal.question(question)).trim())
  } finally {
    terminal.close()
  }
}

/** Looks in the PATH, and in the `sbin` beside each `bin`: Debian keeps servers there, outside most users' PATH. */
function isInPath(program) {
  const directories = (process.env.PATH ?? '').split(':').filter((directory) => directory !== '')
  const more = directories.filter((directory) => directory.endsWith('/bin')).map((bin) => join(dirname(bin), 'sbin'))
  return [...directories, ...more].some((directory) => existsSync(join(directory, program)))
}

/** Prints a line about the set-up on stderr. */
export function say(line) {
  process.stderr.write(`setup: ${line}\n`)
}

function fail(line) {
  say(line)
  process.exit(1)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const purpose = process.argv[2] === 'start' ? 'start' : 'test'
  const missing = await setUp(purpose)
  say(missing.length === 0 ? 'everything is there' : `missing: ${missing.join(', ')}`)
}
