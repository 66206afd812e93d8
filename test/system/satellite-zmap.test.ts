/** ZMap as a child process, in a network of its own: two namespaces with a cable between them. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { makeTemporaryDirectory } from '../contract/temporary-directory.ts'
import { HOME } from '../tidy/source-tree.ts'

const ASKED = '198.18.7.53'
const OPTED_OUT = '198.18.7.54'
const BLOCKED = '198.18.7.52'

/** Answers at three addresses, and writes down who was asked. */
const RESPONDER = `
const { createSocket } = require('node:dgram')
const { appendFileSync } = require('node:fs')
for (const address of ['${ASKED}', '${OPTED_OUT}', '${BLOCKED}']) {
  const socket = createSocket('udp4')
  socket.on('message', (query, from) => {
    appendFileSync(process.argv[1], address + '\\n')
    const reply = Buffer.concat([query, Buffer.from('c00c000100010000003c0004c6336407', 'hex')])
    Buffer.from('818000010001', 'hex').copy(reply, 2)
    socket.send(reply, from.port, from.address)
  })
  socket.bind(53, address)
}
setTimeout(() => process.exit(), 60000)`

const SCRIPT = `
set -e
directory=$0
ip link set lo up
unshare -n sleep 60 >/dev/null 2>&1 & there=$!
sleep 0.3
ip link add here type veth peer name there
ip link set there netns $there
ip addr add 198.18.8.1/24 dev here
ip link set here up
in_there() { nsenter -t $there -n "$@"; }
for host in 52 53 54; do in_there ip addr add 198.18.7.$host/24 dev there; done
in_there ip link set there up
in_there ip route add 198.18.8.0/24 dev there
ip route add 198.18.7.0/24 dev here
mac=$(in_there ip -br link show there | awk '{print $3}')
printf 'interface "here"\\ngateway-mac %s\\nsource-ip 198.18.8.1\\ncooldown-time 1\\n' "$mac" >"$directory/zmap.conf"
nsenter -t $there -n "$1" -e "$RESPONDER" "$directory/asked" >/dev/null 2>&1 & responder=$!
sleep 0.7
shift_from=$1; shift
status=0
"$shift_from" "$@" >"$directory/stdout" 2>"$directory/stderr" || status=$?
echo $status >"$directory/status"
kill $responder $there`

function canMakeNetworks(): boolean {
  if (spawnSync('zmap', ['--version']).status !== 0 || spawnSync('nsenter', ['--version']).status !== 0) return false
  const make = 'ip link add here type veth peer name there'
  return spawnSync('unshare', ['--map-root-user', '--net', 'sh', '-c', make]).status === 0
}

describe('candor satellite probe --ranges', () => {
  test.runIf(canMakeNetworks())('drives ZMap, and keeps those who must not be probed from it', () => {
    const directory = makeTemporaryDirectory()
    const put = (name: string, text: string): string => {
      writeFileSync(join(directory, name), text)
      return join(directory, name)
    }
    const output = join(directory, 'out')
    mkdirSync(output)
    const options = {
      ranges: put('ranges', '198.18.7.52/30\n'),
      blocklist: put('blocklist', `${BLOCKED}/32\n`),
      'opt-out': put('opt-out', `${OPTED_OUT}\n`),
      'zmap-config': put('zmap.conf', ''),
      'probe-name': 'probe.example.net',
      output,
    }
    // The configuration is written by the script, before the command begins.
    const words = Object.entries(options).map(([name, value]) => `--${name}=${value}`)
    const world = put('world.json', JSON.stringify({ routes: [], authority: '' }))
    const program = [join(HOME, 'test/satellite-fixtures/run-in-small-world.ts'), world, 'satellite', 'probe', ...words]
    const args = ['--map-root-user', '--net', 'bash', '-c', SCRIPT, directory, process.execPath, ...program]
    const { stderr } = spawnSync('unshare', args, { env: { ...process.env, RESPONDER }, encoding: 'utf8' })
    expect(stderr).toBe('')
    expect(readFileSync(join(directory, 'stderr'), 'utf8')).toContain('wrote ')
    expect(readFileSync(join(directory, 'status'), 'utf8')).toBe('0\n')
    const [run = ''] = readdirSync(output)
    const rows = readFileSync(join(output, run, 'resolvers_raw.json'), 'utf8')
    expect(JSON.parse(rows)).toMatchObject({ saddr: ASKED, data: expect.stringMatching(/c6336407$/) as unknown })
    expect(existsSync(join(output, run, 'dns.pkt'))).toBe(true)
    expect(readFileSync(join(directory, 'asked'), 'utf8')).toBe(`${ASKED}\n`)
  })
})
