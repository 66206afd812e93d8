/** What Cloudflare runs: the monitor with the file of this directory. */
import { createLog } from '../src/core/log.ts'
import { createWorker, type Worker } from '../src/worker/create-worker.ts'
import text from './dns-monitor.toml'

const log = createLog((level, event, fields) => {
  console.log(JSON.stringify({ level, event, ...fields }))
})

const worker: Worker = createWorker({ name: 'dns-monitor.toml', text }, log)

export default worker
