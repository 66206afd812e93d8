/**
 * The domains campaign as the daemon runs it: one service, which the configuration begins, changes and ends.
 *
 * Invariant: of all programs on one data directory, one changes domains. A service that fails is begun again, later and
 * later, and is shown as a problem meanwhile; everything else goes on beside it.
 */
import { createAttempts } from '../campaigns/domains/ask-attempt.ts'
import type { DomainSettings } from '../config/domain-settings.ts'
import type { SetsSettings } from '../config/sets-settings.ts'
import { sleep } from '../core/clock.ts'
import { RunError } from '../core/config-error.ts'
import { joinPath } from '../core/files.ts'
import { createDomainService, type DomainService } from '../daemon/domain-service.ts'
import { createDomainSource, type RunningDomainParts } from '../daemon/domain-source.ts'
import type { AlertOutbox } from '../model/alert.ts'
import type { DomainSource } from '../model/domain-view.ts'
import type { RuntimeObservation } from '../model/runtime-observation.ts'
import { openDomainStore, type OpenDomainStore } from '../store/domain-store.node.ts'
import type { CliContext } from './cli-context.ts'
import { hasLists, openResolverPool, readDomainLists } from './domain-parts.ts'
import { toDomainPolicy } from './domains-options.ts'

const AGAIN_MS_FIRST = 5_000
const AGAIN_MS_MAX = 300_000

/** What is looked after, as one reading of the configuration says. */
export interface DomainConfig {
  readonly settings: DomainSettings
  readonly sets: SetsSettings
}

/** The campaign while a daemon runs. */
export interface ServedDomains {
  /** For pages and API; also while nothing is looked after. */
  readonly source: DomainSource
  /** Names of the lists that stand for everything below them. */
  wildcards(): readonly string[]
  /** What is wrong, one sentence each. */
  problems(): readonly string[]
  begin(config: DomainConfig): Promise<void>
  /** Looks after what another reading says from now on. @throws {ConfigError} */
  follow(config: DomainConfig): Promise<void>
  /** Keeps what clients were answered; where no list is configured nothing is. @throws {RunError} When it cannot be kept now. */
  observe(observations: readonly RuntimeObservation[]): Promise<void>
  /** Ends the wave that runs, and writes everything. */
  stop(): Promise<void>
}

interface Running extends RunningDomainParts {
  stop(): Promise<void>
}

/** Puts it together; nothing is opened before it begins. */
export function createServedDomains(
  context: CliContext,
  dataDir: string,
  outbox: () => Pick<AlertOutbox, 'add'>,
): ServedDomains {
  const { clock, log } = context
  let running: Running | undefined
  let failure: string | null = null
  let wildcards: readonly string[] = []
  /** Before it begins and after it stopped, what clients were answered has to wait. */
  let isOpen = false
  const fail = (message: string | null): void => {
    failure = message
  }
  const stop = async (): Promise<void> => {
    const before = running
    isOpen = false
    running = undefined
    await before?.stop()
  }
  const follow = async (config: DomainConfig): Promise<void> => {
    failure = null
    if (!hasLists(config.settings)) {
      await stop()
      wildcards = []
      isOpen = true
      return
    }
    const lists = await readDomainLists(context, config.settings)
    await stop()
    const store = await openDomainStore(dataDir, 'candor serve')
    const change = store.replaceList(lists.domains.values(), clock.wallNowMs())
    wildcards = [...lists.domains.values()].filter(({ isWildcard }) => isWildcard).map(({ name }) => name)
    for (const { list, line, reason } of lists.badLines) log.warn('daemon.domains.bad_line', { list, line, reason })
    log.info('daemon.domains.began', { ...change, duplicates: lists.duplicates, bad_lines: lists.badCount })
    running = await start(context, dataDir, config, { store, fail, outbox: outbox() })
    isOpen = true
  }
  return {
    source: createDomainSource(
      clock,
      () => running,
      () => (failure === null ? [] : [failure]),
    ),
    wildcards: () => wildcards,
    problems: () => {
      const isDown = running?.service.campaign.weather().isPoolDown ?? false
      return [
        ...(failure === null ? [] : [failure]),
        ...(isDown ? ['No resolver of the domains campaign answers.'] : []),
      ]
    },
    begin: follow,
    follow,
    observe: async (observations) => {
      if (!isOpen) throw new RunError('the domains campaign does not run')
      await running?.service.observe(observations)
    },
    stop,
  }
}

/** Runs the service until it is stopped; one that fails is begun again. */
async function start(
  context: CliContext,
  dataDir: string,
  { settings, sets }: DomainConfig,
  parts: {
    readonly store: OpenDomainStore
    readonly outbox: Pick<AlertOutbox, 'add'>
    readonly fail: (message: string | null) => void
  },
): Promise<Running> {
  const { clock, files, log } = context
  const { store, fail, outbox } = parts
  const random = context.createRandom(context.newSeed())
  const pool = await openResolverPool(context, settings, store)
  const attempts = createAttempts({ ...context, random }, settings.sinkholes)
  const service: DomainService = createDomainService({
    clock,
    files,
    log,
    random,
    store,
    pool,
    ask: attempts.ask,
    policy: toDomainPolicy(settings),
    canaries: { zone: settings.canaryZone, blocked: settings.canaryBlocked },
    output: { directory: settings.output ?? joinPath(dataDir, 'domains', 'sets'), names: sets, allowEmpty: false },
    writeEveryMs: settings.writeEvery,
    tell: (message) => outbox.add(message),
  })
  const controller = new AbortController()
  const { signal } = controller
  const untilStopped = async (): Promise<void> => {
    for (let pauseMs = AGAIN_MS_FIRST; !signal.aborted; pauseMs = Math.min(pauseMs * 2, AGAIN_MS_MAX)) {
      try {
        await service.run(signal)
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error)
        fail(`The domains campaign failed and begins again: ${message}`)
        log.error('daemon.domains.failed', { message, again_ms: pauseMs })
        await sleep(clock, pauseMs, signal)
        if (!signal.aborted) fail(null)
      }
    }
  }
  const ended = untilStopped()
  return {
    store,
    service,
    sets,
    stop: async () => {
      controller.abort()
      await ended
      // A campaign that failed may have left some: who brought them must not wait for ever.
      service.close()
      attempts.close()
      await store[Symbol.asyncDispose]()
    },
  }
}
