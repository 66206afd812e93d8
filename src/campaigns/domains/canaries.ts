/**
 * Names whose answer is known: do the resolvers that deny names now tell the truth about these?
 *
 * Where the configuration names none, the names of the list that were good for longest stand in.
 */
import type { DomainStore } from '../../model/domain.ts'
import type { AskAttempt } from './ask-attempt.ts'
import type { DomainResolver } from './domain-resolver-spec.ts'

const DAY_MS = 86_400_000
const CANARIES_MAX = 3
const TIMEOUT_MS = 1_200

/** Names that have an address for certain. */
export function chooseCanaries(
  configured: readonly string[],
  store: Pick<DomainStore, 'best'>,
  wallMs: number,
): readonly string[] {
  if (configured.length > 0) return configured.slice(0, CANARIES_MAX)
  return store.best(wallMs - DAY_MS, CANARIES_MAX).map(({ name }) => name)
}

/** @returns Whether a resolver denies every one of the canaries; `false` without canaries. */
export async function deniesCanaries(
  ask: AskAttempt,
  resolver: DomainResolver,
  canaries: readonly string[],
  signal: AbortSignal,
): Promise<boolean> {
  if (canaries.length === 0) return false
  const answers = await Promise.all(canaries.map((name) => ask(resolver, name, TIMEOUT_MS, signal)))
  return answers.every(({ outcome }) => outcome === 'nxdomain')
}
