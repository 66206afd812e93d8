/**
 * The servers that the packets come from: their configurations, on loopback.
 *
 * Nothing leaves the machine: what a resolver has no zone for it asks from our authoritative server, which refuses.
 * BIND listens on addresses of interfaces only, and loopback's is 127.0.0.1.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatZone } from './zone.ts'

/** Where a server of ours listens. */
export interface Server {
  readonly name: string
  readonly version: string
  readonly address: string
  readonly port: number
  /** DNS over TLS, where the server was given it. */
  readonly tlsPort?: number
  readonly process: ChildProcess
}

const PORT = 45_300
const TLS_PORT = 45_853

/** The zones; `bogus.example` is signed by a key that the resolver does not trust. */
export const ZONES = ['types.example', 'nsec.example', 'nsec3.example', 'bogus.example'] as const

/** Writes and signs the zones. @returns File by zone, and the DS record of the signed ones. */
function prepareZones(folder: string): { files: Map<string, string>; anchors: Map<string, string> } {
  const files = new Map<string, string>()
  const anchors = new Map<string, string>()
  for (const zone of ZONES) {
    const file = join(folder, `${zone}.zone`)
    // The signer wants neither DNSKEY below the apex nor DS without NS.
    const text = formatZone(zone)
    writeFileSync(file, zone === 'types.example' ? text : text.replaceAll(/^(key DNSKEY|ds DS).*\n/gm, ''))
    files.set(zone, file)
    if (zone === 'types.example') continue
    const algorithm = zone === 'nsec3.example' ? ['-a', 'RSASHA256', '-b', '2048'] : ['-a', 'ECDSAP256SHA256']
    const run = (command: string, args: readonly string[]) =>
      execFileSync(command, args, { cwd: folder, stdio: 'pipe' })
    run('dnssec-keygen', [...algorithm, zone])
    run('dnssec-keygen', [...algorithm, '-f', 'KSK', zone])
    const denial = zone === 'nsec3.example' ? ['-3', 'AABBCCDD', '-H', '5', '-A'] : []
    run('dnssec-signzone', [...denial, '-S', '-x', '-N', 'keep', '-e', '20360101000000', '-o', zone, file])
    files.set(zone, `${file}.signed`)
    const set = readFileSync(join(folder, `dsset-${zone}.`), 'utf8').trim()
    anchors.set(zone, zone === 'bogus.example' ? set.replace(/[\dA-F]{8}\s*$/, '00000000') : set)
  }
  return { files, anchors }
}

/** Starts all of them; what they say goes to files in `folder`. */
export function startServers(folder: string): readonly Server[] {
  const { files, anchors } = prepareZones(folder)
  const start = (name: string, address: string, command: string, args: readonly string[], version: string): Server => {
    const log = openSync(join(folder, `${name}.log`), 'w')
    return {
      name,
      version,
      address,
      port: PORT,
      process: spawn(command, args, { cwd: folder, stdio: ['ignore', log, log] }),
    }
  }
  const write = (name: string, text: string): string => {
    const file = join(folder, name)
    writeFileSync(file, text)
    return file
  }
  mkdirSync(join(folder, 'knot'))
  const version = (command: string, args: readonly string[], pattern: RegExp): string =>
    pattern.exec(execFileSync('sh', ['-c', `${command} ${args.join(' ')} 2>&1 || true`], { encoding: 'utf8' }))?.[0] ??
    'unknown'
  const number = /\d+\.\d+(\.\d+)?/
  const knot = start(
    'knot',
    '127.77.0.1',
    'knotd',
    ['-c', write('knot.conf', knotConf(folder, files))],
    version('knotd', ['--version'], number),
  )
  const bind = start(
    'bind',
    '127.0.0.1',
    'named',
    ['-f', '-c', write('named.conf', bindConf(folder, files))],
    version('named', ['-v'], number),
  )
  const nsd = start(
    'nsd',
    '127.77.0.3',
    'nsd',
    ['-d', '-c', write('nsd.conf', nsdConf(folder, files))],
    version('nsd', ['-v'], number),
  )
  const unbound = start(
    'unbound',
    '127.77.0.4',
    'unbound',
    ['-d', '-c', write('unbound.conf', unboundConf(folder, anchors))],
    version('unbound', ['-V'], number),
  )
  const dnsdist = start(
    'dnsdist',
    '127.77.0.5',
    'dnsdist',
    ['--supervised', '-C', write('dnsdist.conf', DNSDIST_CONF)],
    version('dnsdist', ['--version'], number),
  )
  const smartdns = start(
    'smartdns',
    '127.77.0.6',
    'smartdns',
    ['-f', '-x', '-p', '-', '-c', write('smartdns.conf', SMARTDNS_CONF)],
    version('smartdns', ['-v'], /\d\S*/),
  )
  return [knot, { ...bind, tlsPort: TLS_PORT }, nsd, unbound, dnsdist, smartdns]
}

/** @returns What the servers said, for when one does not come up. */
export function readLogs(folder: string): string {
  const logs = readdirSync(folder).filter((file) => file.endsWith('.log'))
  return logs.map((file) => `== ${file}\n${readFileSync(join(folder, file), 'utf8')}`).join('\n')
}

function knotConf(folder: string, files: Map<string, string>): string {
  return `server:
  listen: 127.77.0.1@${PORT}
  rundir: ${folder}/knot
  nsid: knot-1
  version: "Knot"
  identity: "knot-1"
  edns-client-subnet: on
database:
  storage: ${folder}/knot
acl:
  - id: transfer
    address: 127.0.0.0/8
    action: transfer
template:
  - id: default
    acl: transfer
    global-module: mod-cookies
    semantic-checks: off
zone:
${[...files].map(([zone, file]) => `  - domain: ${zone}\n    file: ${file}`).join('\n')}
`
}

function bindConf(folder: string, files: Map<string, string>): string {
  return `options {
  directory "${folder}";
  pid-file none; session-keyfile "${folder}/session.key";
  listen-on port ${PORT} { 127.0.0.1; };
  listen-on port ${TLS_PORT} tls ephemeral { 127.0.0.1; };
  listen-on-v6 { none; };
  recursion no; dnssec-validation no; check-names primary ignore; allow-transfer { any; }; notify no;
  server-id "bind-1"; hostname "bind-1"; version "BIND"; max-udp-size 4096;
  response-padding { any; } block-size 256;
};
controls { };
${[...files].map(([zone, file]) => `zone "${zone}" { type primary; file "${file}"; check-integrity no; };`).join('\n')}
`
}

function nsdConf(folder: string, files: Map<string, string>): string {
  return `server:
  ip-address: 127.77.0.3@${PORT}
  username: ""
  zonesdir: "${folder}"
  pidfile: ""
  xfrdfile: ""
  zonelistfile: "${folder}/nsd.zones"
  nsid: "ascii_nsd-1"
  identity: "nsd-1"
  version: "NSD"
  answer-cookie: yes
remote-control:
  control-enable: no
${[...files].map(([zone, file]) => `zone:\n  name: ${zone}\n  zonefile: ${file}\n  provide-xfr: 127.0.0.0/8 NOKEY`).join('\n')}
`
}

function unboundConf(folder: string, anchors: Map<string, string>): string {
  return `server:
  interface: 127.77.0.4@${PORT}
  access-control: 127.0.0.0/8 allow
  username: ""
  chroot: ""
  directory: "${folder}"
  pidfile: ""
  use-syslog: no
  do-not-query-localhost: no
  ede: yes
  nsid: "ascii_unbound-1"
  identity: "unbound-1"
  version: "unbound"
  minimal-responses: no
  module-config: "subnetcache validator iterator"
  send-client-subnet: 127.77.0.1
  client-subnet-always-forward: yes
  local-zone: "refused.test." refuse
  local-zone: "local.test." static
  local-data: "local.test. 300 IN A 192.0.2.200"
  local-data: "local.test. 300 IN TXT 'local data'"
${[...anchors.values()]
  .flatMap((set) => set.split('\n'))
  .map((line) => `  trust-anchor: "${line.replaceAll(/\s+/g, ' ')}"`)
  .join('\n')}
remote-control:
  control-enable: no
stub-zone:
  name: "."
  stub-addr: 127.77.0.1@${PORT}
${ZONES.map((zone) => `stub-zone:\n  name: ${zone}\n  stub-addr: 127.77.0.1@${PORT}\n  stub-no-cache: yes`).join('\n')}
`
}

const DNSDIST_CONF = `setSecurityPollSuffix("")
setLocal("127.77.0.5:${PORT}")
newServer({address="127.77.0.1:${PORT}", checkType="SOA", checkName="types.example."})
addAction("spoof.test.", SpoofAction({"192.0.2.66", "2001:db8::66"}))
addAction("refused.test.", RCodeAction(DNSRCode.REFUSED))
addAction("nx.test.", SetNegativeAndSOAAction(true, "nx.test.", 60, "ns.nx.test.", "host.nx.test.", 1, 2, 3, 4, 5))
addAction("tc.test.", TCAction())
addAction("servfail.test.", ERCodeAction(DNSRCode.SERVFAIL))
`

const SMARTDNS_CONF = `bind 127.77.0.6:${PORT}
bind-tcp 127.77.0.6:${PORT}
server 127.77.0.1:${PORT}
speed-check-mode none
dualstack-ip-selection no
cache-size 0
log-level error
log-file /dev/stderr
address /spoof.test/192.0.2.66
address /block.test/#
`
