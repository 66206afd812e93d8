/**
 * `npm start`: installs what is missing, then serves the pages and scans a laboratory while one looks.
 *
 * Parses and runs on Node 18 to 20. Arguments go to `candor start`.
 */
import { spawn } from 'node:child_process'
import { HOME, PINNED_NODE, say, setUp } from './setup.mjs'

const missing = await setUp('start')
if (missing.length > 0) say(`missing: ${missing.join(', ')}; the pages say what does not work without`)

const child = spawn(PINNED_NODE, ['src/cli/main.ts', 'start', ...process.argv.slice(2)], {
  cwd: HOME,
  stdio: 'inherit',
})
// A terminal sends Ctrl-C to both of us; the child decides when it is over.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => child.kill('SIGTERM'))
child.on('exit', (code, signal) => {
  process.exit(code ?? (signal === null ? 1 : 130))
})
