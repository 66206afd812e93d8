/**
 * The announcement of a scan: what will be probed, when, by whom, and how not to be. It stands beside the run as
 * `announcement.json` and `announcement.html`, for the operator to publish.
 *
 * **Invariant**: addresses of the Internet are probed only where an announcement covers them that is a day old.
 */
import { parseFields } from '../campaigns/satellite/pair-record.ts'
import { formatAnnouncement, readAnnouncement } from '../campaigns/satellite/announcement.ts'
import { parseOptOut } from '../campaigns/satellite/opt-out.ts'
import { formatIsoTime, parseTime } from '../core/clock.ts'
import { ConfigError, RunError } from '../core/config-error.ts'
import { joinPath, readText } from '../core/files.ts'
import type { CliContext } from './cli-context.ts'
import type { RunDirectory } from './satellite-run-directory.ts'

const NAME = 'announcement'
const OCTETS_MAX = 67_108_864
const DAY_MS = 24 * 3_600_000
const FILE_MODE = 0o644

/** Writes the announcement of a run. @param ranges - Prefixes and addresses. @throws {ConfigError} Without a contact. */
export async function writeAnnouncement(
  context: CliContext,
  directory: RunDirectory,
  ranges: readonly string[],
  contact: string | undefined,
): Promise<void> {
  if (contact === undefined || contact.trim() === '') {
    throw new ConfigError(
      '--announce',
      'whoever is probed must be able to reach somebody',
      '--announce --contact "scans@example.org, https://example.org/opt-out"',
    )
  }
  const plan = {
    announcedAt: formatIsoTime(context.clock.wallNowMs()),
    startsAfter: formatIsoTime(context.clock.wallNowMs() + DAY_MS),
    contact,
    name: directory.plan.probe_name ?? '',
    perResolver: directory.plan.caps.perResolver,
    ranges,
  }
  const { json, html } = formatAnnouncement(plan)
  const path = joinPath(directory.path, NAME)
  await context.files.writeAtomic(`${path}.json`, json, FILE_MODE)
  await context.files.writeAtomic(`${path}.html`, html, FILE_MODE)
  await context.say(`wrote ${path}.json and ${path}.html: publish them where people look who see the probes`)
  await context.say(
    `the scan may start after ${plan.startsAfter}: candor satellite discover --resume ${directory.path}`,
  )
}

/** Refuses what was not announced a day ago. @param addresses - Those of the Internet. @throws {RunError} */
export async function requireAnnouncement(
  context: CliContext,
  directory: RunDirectory,
  addresses: readonly string[],
): Promise<void> {
  if (addresses.length === 0) return
  const path = joinPath(directory.path, `${NAME}.json`)
  const hint = `announce it with --announce --contact WHO, and start it a day later with --resume ${directory.path}`
  if ((await context.files.info(path)) === undefined)
    throw new RunError('a scan of public addresses has to be announced a day before', hint)
  const fields = parseFields((await readText(context.files, path, OCTETS_MAX)).replaceAll('\n', ' '))
  const announcement = fields === undefined ? undefined : readAnnouncement(fields)
  if (announcement === undefined) throw new RunError(`${path} is no announcement`, hint)
  const covered = parseOptOut([{ path, text: announcement.ranges.join('\n') }], context.addressPlan)
  const outside = addresses.find((address) => covered.findAddress(address) === undefined)
  if (outside !== undefined) throw new RunError(`the announcement does not cover ${outside}`, hint)
  const startsAtMs = parseTime(announcement.announcedAt) + DAY_MS
  if (!(context.clock.wallNowMs() >= startsAtMs)) {
    throw new RunError(
      'the scan was announced less than a day ago',
      `start it after ${Number.isFinite(startsAtMs) ? formatIsoTime(startsAtMs) : 'a valid time'}`,
    )
  }
}
