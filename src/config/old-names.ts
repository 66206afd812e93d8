/** The names that settings had in `config.env` of the earlier deployment, and where each has gone. */

/** Where an old setting has gone. */
export type OldNameTarget =
  /** A key of the configuration file; `''` as its value meant that nothing was set. */
  | { readonly kind: 'key'; readonly key: string }
  /** A key of one of the two stores. */
  | { readonly kind: 'store'; readonly store: 'do' | 'r2'; readonly key: string }
  /** A secret, under this name in the environment. */
  | { readonly kind: 'secret'; readonly variable: string }
  /** Nowhere; the sentence says why. */
  | { readonly kind: 'none'; readonly why: string }

/** Old name → where it has gone, in the order of the old example. */
export const OLD_NAMES: Readonly<Record<string, OldNameTarget>> = {
  EXITMAP_DIR: { kind: 'none', why: 'Candor needs no other scanner' },
  OUTPUT_DIR: { kind: 'key', key: 'exits.analysis_dir' },
  LOG_DIR: {
    kind: 'none',
    why: 'the daemon writes one log for each run below data_dir; commands write theirs to stderr',
  },
  BUILD_DELAY: { kind: 'key', key: 'exits.build_delay' },
  DELAY_NOISE: { kind: 'key', key: 'exits.delay_noise' },
  FIRST_HOP: { kind: 'key', key: 'exits.first_hop' },
  ALL_EXITS: { kind: 'key', key: 'exits.all_exits' },
  DO_ENABLED: { kind: 'store', store: 'do', key: 'enabled' },
  DO_BUCKET: { kind: 'store', store: 'do', key: 'bucket' },
  DO_SPACES_KEY: { kind: 'secret', variable: 'CANDOR_STORE_DO_ACCESS_KEY_ID' },
  DO_SPACES_SECRET: { kind: 'secret', variable: 'CANDOR_STORE_DO_SECRET_ACCESS_KEY' },
  DO_SPACES_REGION: { kind: 'store', store: 'do', key: 'region' },
  R2_ENABLED: { kind: 'store', store: 'r2', key: 'enabled' },
  R2_BUCKET: { kind: 'store', store: 'r2', key: 'bucket' },
  R2_ACCESS_KEY_ID: { kind: 'secret', variable: 'CANDOR_STORE_R2_ACCESS_KEY_ID' },
  R2_SECRET_ACCESS_KEY: { kind: 'secret', variable: 'CANDOR_STORE_R2_SECRET_ACCESS_KEY' },
  CF_ACCOUNT_ID: { kind: 'store', store: 'r2', key: 'account' },
  CF_API_TOKEN: { kind: 'secret', variable: 'CLOUDFLARE_API_TOKEN' },
  PAGES_PROJECT: {
    kind: 'none',
    why: 'name it when the pages are deployed: wrangler pages deploy --project-name NAME',
  },
}

/** Old names of a key of the configuration file, of `publish.stores.KEY` as well. */
export function findOldNames(key: string): readonly string[] {
  return Object.entries(OLD_NAMES)
    .filter(([, target]) => target.kind === 'key' && target.key === key)
    .concat(
      Object.entries(OLD_NAMES).filter(
        ([, target]) => target.kind === 'store' && key === `publish.stores.${target.key}`,
      ),
    )
    .map(([name]) => name)
}
