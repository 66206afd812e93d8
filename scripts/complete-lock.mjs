/**
 * Completes package-lock.json after a package was added or updated.
 *
 * npm leaves an optional package of another platform out of the lock file when the registry at hand does not offer that
 * version, and `npm ci` then refuses the lock file everywhere. This adds what is missing: name and version stand in the
 * package that wants it, system and processor in its name.
 *
 * Usage: node scripts/complete-lock.mjs
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PATH = join(dirname(dirname(fileURLToPath(import.meta.url))), 'package-lock.json')
const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32']
const PROCESSORS = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64']
/** How other packages write the same platforms. */
const SPELLINGS = { windows: 'win32', 64: 'x64' }

const lock = JSON.parse(readFileSync(PATH, 'utf8'))
const added = {}
for (const [parent, { optionalDependencies = {}, dev }] of Object.entries(lock.packages)) {
  if (parent === '') continue
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const isThere = lock.packages[`node_modules/${name}`] ?? lock.packages[`${parent}/node_modules/${name}`]
    if (isThere !== undefined) continue
    const words = new Set(name.split(/[/-]/).map((word) => SPELLINGS[word] ?? word))
    const os = SYSTEMS.filter((system) => words.has(system))
    const cpu = PROCESSORS.filter((processor) => words.has(processor))
    // A package for every platform (WebAssembly) is named by what it is for; without a platform it would be installed.
    if (os.length === 0 && !words.has('wasm32')) throw new Error(`${name} names no platform`)
    added[`node_modules/${name}`] = {
      version,
      ...(cpu.length === 0 ? { cpu: ['wasm32'] } : { cpu }),
      ...(dev === true ? { dev } : {}),
      optional: true,
      ...(os.length === 0 ? {} : { os }),
      ...(/gnu/.test(name) ? { libc: ['glibc'] } : /musl/.test(name) ? { libc: ['musl'] } : {}),
    }
  }
}
lock.packages = Object.fromEntries(
  Object.entries({ ...lock.packages, ...added }).sort(([a], [b]) => a.localeCompare(b, 'en')),
)
writeFileSync(PATH, `${JSON.stringify(lock, null, 2)}\n`)
process.stdout.write(`${Object.keys(added).length} packages added\n`)
