/** What the monitor's standings, modes, classes and incidents are called, for people. */
import type { MonitorClass, MonitorIncident } from '../model/monitor-state.ts'
import type { MonitorStanding, ObservedMode } from '../model/monitor-view.ts'

/** A word, its mark and the class of its colours. */
export interface StandingWord {
  readonly label: string
  readonly mark: string
  readonly style: string
}

/** How names stand. */
export const STANDING_LABELS: Readonly<Record<MonitorStanding, StandingWord>> = {
  incident: { label: 'incident', mark: '✕', style: 's-wrong_ip' },
  unanswered: { label: 'no answer', mark: '∅', style: 's-timeout' },
  learning: { label: 'learning', mark: '…', style: 's-circuit_fail' },
  steady: { label: 'as usual', mark: '✓', style: 's-success' },
  waiting: { label: 'not asked yet', mark: '·', style: 's-not_tested' },
}

/** How answers move. */
export const MODE_LABELS: Readonly<Record<ObservedMode, { readonly label: string; readonly meaning: string }>> = {
  static: { label: 'static', meaning: 'every resolver gives the same, again and again' },
  rotating: { label: 'rotating', meaning: 'answers change from round to round, within one network' },
  geographic: { label: 'geographic', meaning: 'each resolver gives its own, and the same again and again' },
  multi_cdn: { label: 'several networks', meaning: 'answers change between networks' },
  unknown: { label: 'not known yet', meaning: 'too few rounds' },
}

/** What a class says, in a few words. */
export const CLASS_LABELS: Readonly<Record<MonitorClass, string>> = {
  K0: 'known',
  K1: 'new address in a known prefix',
  K2: 'new prefix in a known network',
  K3: 'new',
  K4: 'an address that no public name has',
  K5: 'nothing where there was something',
  K6: 'no answer',
}

/** What an incident is about, in a few words. */
export function formatSubject({ subject, resolver }: MonitorIncident): string {
  const words = {
    K3: 'a new answer',
    K4: CLASS_LABELS.K4,
    K5: CLASS_LABELS.K5,
    diverges: `other answers at ${resolver ?? 'one resolver'} alone`,
    unavailable: CLASS_LABELS.K6,
    parent_ns: 'the parent zone delegates it to other servers',
    parent_ds: 'the DS record in the parent zone is another or gone',
    serials: 'its servers have several serials',
  }
  return words[subject]
}

/** What vouches for something new or does not, one sentence each; what was not asked has none. */
export function describeCorroboration({
  authoritative,
  dnssec,
  tls,
  parentNs,
  parentDs,
}: MonitorIncident['corroboration']): readonly string[] {
  const sentences: Readonly<Record<string, string>> = {
    'authoritative all': 'All authoritative servers, asked directly, give the same.',
    'authoritative some': 'Some of the authoritative servers, asked directly, give it.',
    'authoritative none': 'No authoritative server, asked directly, gives it.',
    'dnssec validated': 'Resolvers of at least two operators say that it validates (DNSSEC).',
    'dnssec bogus': 'It does not validate (DNSSEC).',
    'tls valid': 'The new address has a valid certificate for the name.',
    'tls invalid': 'The new address has no valid certificate for the name.',
    'parentNs changed': 'The parent zone delegates the name to other servers than before.',
    'parentNs same': 'The parent zone delegates the name as before.',
    'parentDs changed': 'The parent zone has another DS record than before.',
    'parentDs removed': 'The parent zone has no DS record any more.',
    'parentDs same': 'The DS record of the parent zone is as before.',
  }
  const facts = { authoritative, dnssec, tls, parentNs, parentDs }
  return Object.entries(facts).flatMap(([name, value]) => sentences[`${name} ${value}`] ?? [])
}

/** What became of an incident. */
export function formatIncidentState({ status, acknowledgement, isFlapping }: MonitorIncident): string {
  if (status === 'changed') return 'accepted as changed'
  if (status === 'resolved') return 'over'
  if (acknowledgement !== null) return `open, ${acknowledgement.who} takes care`
  return isFlapping ? 'open, comes and goes' : 'open'
}
