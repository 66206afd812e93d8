/**
 * The group `candor tokens`: who may give orders to the daemon over the network, and read where reading is protected.
 *
 * Invariant: the text of a token is shown once, when it is made; what is kept does not give it back.
 */
import type { Command } from 'commander'
import { digest, type AccessScope, type ApiToken } from '../api/access.ts'
import { openTokenFile, TOKENS_MAX, type TokenFile } from '../api/token-file.ts'
import { GENERAL_SETTING_GROUP } from '../config/general-settings.ts'
import { formatIsoTime } from '../core/clock.ts'
import { ConfigError } from '../core/config-error.ts'
import { findNearestName } from '../core/nearest-name.ts'
import type { CliContext } from './cli-context.ts'
import { addSettingOptions, loadSettings } from './load-settings.ts'

const STATE_MODE = 0o700
const TOKEN_OCTETS = 32

/** Adds `candor tokens` with its commands. */
export function registerTokens(program: Command, context: CliContext): void {
  const tokens = program.command('tokens').description('tokens for orders over the API, and for protected reading')
  const groups = [GENERAL_SETTING_GROUP]
  const add = tokens
    .command('add <name>')
    .description('make a token and show it, once')
    .option('--write', 'a token that may also give orders: begin runs, end them, ask questions')
    .option('--owner <name>', 'a token that reads the watched names of this owner, and nothing else')
  addSettingOptions(add, groups)
  add.action(async (name: string, flags: { readonly write?: boolean; readonly owner?: string }) => {
    const file = await openTokens(add, context)
    if (flags.owner !== undefined && (flags.write === true || flags.owner.trim() === '' || flags.owner.length > 200))
      throw new ConfigError(
        '--owner',
        'it is a name, and its token reads only',
        'candor tokens add NAME --owner team-web',
      )
    const scopes: readonly AccessScope[] = flags.write === true ? ['read', 'write'] : ['read']
    const token = await addToken(file, { name, scopes, owner: flags.owner }, context)
    await context.stdout.write(`${token}\n`)
    await context.say('this is shown once; send it as "Authorization: Bearer TOKEN"')
  })
  const list = tokens.command('list').description('list the tokens: name, rights, when it was made')
  addSettingOptions(list, groups)
  list.action(async () => {
    const known = await (await openTokens(list, context)).read()
    const lines = known.map(({ name, scopes, created_at, owner }) =>
      JSON.stringify({ name, scopes, created_at, ...(owner === undefined ? {} : { owner }) }),
    )
    await context.stdout.write(lines.map((line) => `${line}\n`).join(''))
  })
  const remove = tokens
    .command('remove <name>')
    .description('remove a token; a running daemon refuses it within a second')
  addSettingOptions(remove, groups)
  remove.action(async (name: string) => {
    const file = await openTokens(remove, context)
    const known = await file.read()
    if (!known.some((token) => token.name === name)) throw unknownToken(name, known)
    await file.write(known.filter((token) => token.name !== name))
  })
}

async function openTokens(command: Command, context: CliContext): Promise<TokenFile> {
  const loaded = await loadSettings(command, context, [GENERAL_SETTING_GROUP])
  const directory = loaded.get('')?.get('data-dir')?.value
  if (typeof directory !== 'string') {
    throw new ConfigError('--data-dir', 'tokens are kept in the data directory', '--data-dir DIRECTORY')
  }
  await context.files.makeDirectory(directory, STATE_MODE)
  return openTokenFile(context.files, directory, context.clock)
}

/** @returns The text of the new token. */
async function addToken(
  file: TokenFile,
  { name, scopes, owner }: Pick<ApiToken, 'name' | 'scopes' | 'owner'>,
  { clock }: CliContext,
): Promise<string> {
  if (!/^[a-z0-9][a-z0-9._-]{0,59}$/i.test(name)) {
    throw new ConfigError('NAME', 'a name has letters, digits, dots, dashes and underscores, at most 60', 'dashboard')
  }
  const known = await file.read()
  if (known.some((token) => token.name === name)) {
    throw new ConfigError('NAME', `there is a token ${name} already`, `candor tokens remove ${name}`)
  }
  if (known.length >= TOKENS_MAX) {
    throw new ConfigError('NAME', `there are ${TOKENS_MAX} tokens already`, 'candor tokens remove NAME')
  }
  const octets = crypto.getRandomValues(new Uint8Array(TOKEN_OCTETS))
  const token = `candor_${btoa(String.fromCharCode(...octets))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace('=', '')}`
  const entry = {
    name,
    scopes,
    sha256: await digest(token),
    created_at: formatIsoTime(clock.wallNowMs()),
    ...(owner === undefined ? {} : { owner }),
  }
  await file.write([...known, entry])
  return token
}

function unknownToken(name: string, known: readonly ApiToken[]): ConfigError {
  const nearest = findNearestName(
    name,
    known.map((token) => token.name),
  )
  const hint = nearest === undefined ? 'candor tokens list' : `candor tokens remove ${nearest}`
  return new ConfigError('NAME', `there is no token ${JSON.stringify(name)}`, hint)
}
