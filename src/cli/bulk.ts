/** `candor bulk`: asks many questions of many resolvers, one record for each. */
import { Option, type Command } from 'commander'
import type { BulkFlags } from './bulk-options.ts'
import { runBulk } from './bulk-run.ts'
import type { CliContext } from './cli-context.ts'

const HELP = `
Input: one name a line, or NAME TYPE, or NAME TYPE RESOLVER; # begins a comment. A line that cannot be used is reported
with its number and skipped (status 3).

Pace: public resolvers get 50 queries a second each, 200 in a /24, 1,000 in an autonomous system and 5,000 in all, and rest
when they keep failing; your own (loopback and private addresses) get what they can take. --rate and the --per-… options
hold for all resolvers.

Examples:
  candor bulk --names names.txt --resolvers resolvers.txt > records.jsonl
  candor bulk --names names.txt --type A,AAAA --resolvers resolvers.txt --output records.jsonl --resume
  zcat names.gz | candor bulk --names - --resolvers resolvers.txt --rate 2000 --status-file status.json`

/** Adds `candor bulk`. */
export function registerBulk(program: Command, context: CliContext): void {
  program
    .command('bulk')
    .description('ask many questions of many resolvers: millions of names in, one record for each out')
    .requiredOption('--names <file>', 'the names; - for stdin')
    .requiredOption('--resolvers <file>', 'the resolvers, one a line: IP, IP#PORT, tcp://…, tls://… or https://…')
    .option('--type <types>', 'record types, as in A,AAAA', 'A')
    .option('--rate <number>', 'queries per second in all, or unlimited: nothing is held back, not even from strangers')
    .option('--per-resolver <number>', 'queries per second for each resolver')
    .option('--per-prefix <number>', 'queries per second for each IPv4 /24 and IPv6 /48')
    .option('--per-as <number>', 'queries per second for each autonomous system')
    .option('--cooldown <ms>', 'first rest of a resolver that keeps failing; doubles each time; 0 for none')
    .option('--deadline <duration>', 'begin nothing new after this time, 10m; --resume goes on')
    .option('--retries <number>', 'how often an unanswered query is sent again (3)')
    .option(
      '--timeout <ms>',
      'how long the first try waits; each further one twice as long (500; 2000 over connections)',
    )
    .option('--retry-rcodes <rcodes>', 'send again after these answers too, SERVFAIL,REFUSED')
    .option('--hedge <ms>', 'over connections: ask a second resolver too when the first takes so long')
    .option('--ca <file>', 'trust these certificate authorities (PEM) and no others')
    .option('--no-verify', 'take any certificate')
    .option('--bufsize <octets>', 'size of UDP answers that is announced; 0 for queries without EDNS (1232)')
    .option('--no-recurse', 'do not ask for recursion')
    .option('--dnssec', 'ask for signatures (the DO bit)')
    .option('--strangers', 'listen to answers from other sources too, to count them')
    .option('--output <file>', 'where the records go; stdout without')
    .addOption(new Option('--format <format>', 'of the records').choices(['jsonl', 'bin', 'parquet']).default('jsonl'))
    .option('--resume', 'continue the run whose journal lies beside --output')
    .option('--status-file <file>', 'a JSON file that says where the run stands')
    .addOption(
      new Option('--backend <name>', 'what carries datagrams')
        .choices(['auto', 'dgram', 'native', 'segmented'])
        .default('auto'),
    )
    .option('--seed <text>', 'repeats the ids, and which resolver is asked what')
    .option('--trusted <file>', 'resolvers that are asked again for what was answered; their records count')
    .option('--wildcards', 'compare what was answered with the answers of random names beside it')
    .addHelpText('after', HELP)
    .action(async (flags: BulkFlags) => {
      if (flags.trusted === undefined && flags.wildcards !== true) {
        await runBulk(context, flags)
        return
      }
      const { runRefinedBulk } = await import('./bulk-refine.ts')
      await runRefinedBulk(context, flags)
    })
}
