/** What Cloudflare runs: the monitor with the names of this directory, and the documents that its pages lead to. */
import classes from '../docs/detectors/monitor-classes.md'
import confirmation from '../docs/detectors/monitor-confirmation.md'
import incidents from '../docs/detectors/monitor-incidents.md'
import profile from '../docs/detectors/monitor-profile.md'
import risk from '../docs/detectors/monitor-risk.md'
import severity from '../docs/detectors/monitor-severity.md'
import zone from '../docs/detectors/monitor-zone.md'
import { createLog } from '../src/core/log.ts'
import { createWorker, type Worker } from '../src/worker/create-worker.ts'
import text from './dns-monitor.toml'

const log = createLog((level, event, fields) => {
  console.log(JSON.stringify({ level, event, ...fields }))
})

const documents = {
  'monitor-classes.md': classes,
  'monitor-confirmation.md': confirmation,
  'monitor-incidents.md': incidents,
  'monitor-profile.md': profile,
  'monitor-risk.md': risk,
  'monitor-severity.md': severity,
  'monitor-zone.md': zone,
}

const worker: Worker = createWorker({ name: 'dns-monitor.toml', text }, documents, log)

export default worker
