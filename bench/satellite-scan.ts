/**
 * Writes a scan as Satellite publishes them, of any size: every resolver is asked for every domain, in a drawn order, and the
 * answers are of the shapes that real rows of v2.2 have. The same seed gives the same octets.
 *
 * Of 1,000,000 lines some hundred have a field that nobody knows, and five are damaged.
 */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** How large a scan is, and which. */
export interface ScanSize {
  readonly resolvers: number
  readonly domains: number
  readonly seed: number
  /** Judged rows with their tags (`results.json`), or responses that nobody judged (`raw/responses.json`). */
  readonly rows: 'results' | 'responses'
}

/** An address of an answer. */
interface Answer {
  readonly address: string
  /** With its tags, as a judged row writes it. */
  readonly text: string
  /** How well it agrees with control. */
  readonly confidence: number
}

/** A name, and the addresses that are given for it: those of control, others of its network, and strangers. */
interface Name {
  readonly text: string
  readonly answers: readonly Answer[]
  /** How many one response has. */
  readonly perResponse: number
}

const CONTROLS = 5
const COUNTRIES = 170
const POOL = 12
const IN_CONTROL = 4
const BUFFER_CHARS = 4_194_304
const NETWORKS = [
  'EXAMPLE-NET Example Hosting',
  'AMAZON-02',
  'CLOUDFLARENET',
  'GOOGLE',
  'FACEBOOK',
  'Akamai',
  'A\\u0026B-AS',
]

/** The golden ratio: steps of this share of a circle come to all of it, and never close to the one before. */
const GOLDEN = 0.618_033_988_7

/** Writes the scan into a directory. */
export function writeSatelliteScan(directory: string, size: ScanSize): void {
  const { resolvers, domains } = size
  let state = (size.seed * 2_654_435_761) >>> 0 || 1

  /** A whole number below a limit; Marsaglia's xorshift. */
  function draw(limit: number): number {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % limit
  }

  function drawHash(): string {
    return Array.from({ length: 8 }, () => draw(0xffff_ffff).toString(16).padStart(8, '0')).join('')
  }

  mkdirSync(join(directory, 'raw'), { recursive: true })
  const tags: string[] = []
  const names = Array.from({ length: domains }, (_, at) => makeName(at))
  const blockPages = Array.from({ length: COUNTRIES }, (_, at) =>
    makeAnswer(`198.18.${at >> 2}.${at & 3}`, 'BLOCK-AS Example State', 64_000 + at, [], 0),
  )
  writeLines('raw/tagged_responses.json', tags)
  writeControls()
  writeResolvers()
  writeRows()

  function makeAnswer(
    address: string,
    asname: string,
    asnum: number,
    matched: readonly string[],
    dead: number,
  ): Answer {
    const http = draw(10) < 2 + dead ? '' : drawHash()
    const cert = draw(10) < 3 + dead ? '' : drawHash()
    tags.push(`{"ip": "${address}", "http": "${http}", "cert": "${cert}", "asname": "${asname}", "asnum": ${asnum}}`)
    const found = matched.filter((item) => (item !== 'http' || http !== '') && (item !== 'cert' || cert !== ''))
    const count = 2 + (http === '' ? 0 : 1) + (cert === '' ? 0 : 1)
    const list = found.length === 0 ? 'null' : `[${found.map((item) => `"${item}"`).join(', ')}]`
    const confidence = found[0] === 'ip' ? 100 : (100 * found.length) / count
    return {
      address,
      text: `"${address}": {"http": "${http}", "cert": "${cert}", "asnum": ${asnum}, "asname": "${asname}", "matched": ${list}}`,
      confidence,
    }
  }

  function makeName(at: number): Name {
    const network = draw(NETWORKS.length)
    const asname = NETWORKS[network] ?? ''
    const answers = Array.from({ length: POOL }, (_, index) => {
      const address = formatAddress(20 + (at % 150), at * 64 + index)
      if (index < IN_CONTROL)
        return makeAnswer(address, asname, 1000 + network, ['ip', 'http', 'cert', 'asnum', 'asname'], 0)
      if (index < POOL - 2) return makeAnswer(address, asname, 1000 + network, ['asnum', 'asname'], 1)
      return makeAnswer(address, `STRANGER-${at % 97}`, 3000 + (at % 97), [], 4)
    })
    const drawn = draw(100)
    return {
      text: `www.name-${at}.example`,
      answers,
      perResponse: drawn < 70 ? 1 : drawn < 85 ? 2 : drawn < 92 ? 3 : drawn < 96 ? 4 : 5 + draw(4),
    }
  }

  function writeLines(path: string, lines: readonly string[]): void {
    const file = openSync(join(directory, path), 'w')
    writeSync(file, `${lines.join('\n')}\n`)
    closeSync(file)
  }

  /** Four control resolvers answer; the last one fails for each tenth name. */
  function writeControls(): void {
    writeLines(
      'raw/responses_control.json',
      names.flatMap(({ text, answers }, at) =>
        Array.from({ length: CONTROLS }, (_, control) => {
          const failed = control === CONTROLS - 1 && at % 10 === 0
          const list = failed
            ? 'null'
            : `["${answers
                .slice(control % 2, IN_CONTROL)
                .map((answer) => answer.text.split('"')[1])
                .join('", "')}"]`
          return `{"vp": "192.0.2.${control + 1}", "test_url": "${text}", "response": [{"url": "${text}", "has_type_a": ${!failed}, "response": ${list}, "error": "null", "rcode": ${failed ? 2 : 0}}], "passed_liveness": true, "connect_error": false}`
        }),
      ),
    )
  }

  function formatLocation(resolver: number): string {
    const country = resolver % COUNTRIES
    const code = String.fromCharCode(65 + Math.floor(country / 26), 65 + (country % 26))
    return `{"country_name": "Country ${country}", "country_code": "${code}"}`
  }

  function writeResolvers(): void {
    const lines = Array.from(
      { length: resolvers },
      (_, at) => `{"vp": "${formatAddress(11, at * 7)}", "location": ${formatLocation(at)}}`,
    )
    writeLines('raw/tagged_resolvers.json', lines)
  }

  function writeRows(): void {
    const file = openSync(join(directory, size.rows === 'results' ? 'results.json' : 'raw/responses.json'), 'w')
    const vps = Array.from({ length: resolvers }, (_, at) => formatAddress(11, at * 7))
    const locations = Array.from({ length: resolvers }, (_, at) => formatLocation(at))
    let text = ''
    const pairs = resolvers * domains
    let stride = Math.floor(pairs * GOLDEN)
    while (greatestDivisor(stride, pairs) !== 1) stride++
    for (let row = 0, pair = 0; row < pairs; row++, pair = (pair + stride) % pairs) {
      const at = pair % resolvers
      const name = names[Math.floor(pair / resolvers)] as Name
      text += `${formatRow(name, vps[at] as string, locations[at] as string, at, row)}\n`
      if (text.length < BUFFER_CHARS) continue
      writeSync(file, text)
      text = ''
    }
    writeSync(file, text)
    closeSync(file)
  }

  function formatAnswers(answers: readonly Answer[]): string {
    if (size.rows === 'results') return `{${answers.map(({ text }) => text).join(', ')}}`
    return answers.length === 0 ? 'null' : `["${answers.map(({ address }) => address).join('", "')}"]`
  }

  function formatRow(name: Name, vp: string, location: string, resolver: number, row: number): string {
    const fate = draw(1_000_000)
    const second = Math.floor(row / 2000)
    const clock = `2021-10-${String(20 + Math.floor(second / 86_400)).padStart(2, '0')} ${String(Math.floor(second / 3600) % 24).padStart(2, '0')}:${String(Math.floor(second / 60) % 60).padStart(2, '0')}:${String(second % 60).padStart(2, '0')}`
    const started = `"start_time": "${clock}.${100_000_001 + draw(899_999_998)} -0400 EDT"`
    const times = `${started}, "end_time": "${clock}.${100_000_001 + draw(899_999_998)} -0400 EDT"`
    if (fate < 5) return `{"vp": "${vp}", "test_url": "${name.text}", "response": [{"url": `
    const odd = fate < 105 ? `"measured_by": "probe ${row % 7}", ` : ''
    const answers: Answer[] = []
    let trials = ''
    let isAlive = true
    let isConnectError = false
    const say = (rcode: number): string =>
      `{"url": "${name.text}", "has_type_a": ${answers.length > 0}, "response": ${formatAnswers(answers)}, "error": "null", "rcode": ${rcode}}`
    const fail = (): string =>
      `{"url": "${name.text}", "has_type_a": false, "response": ${formatAnswers([])}, "error": "read udp 192.0.2.9:${1024 + draw(60_000)}->${vp}:53: i/o timeout", "rcode": -1}`
    if (fate < 10_000) {
      isAlive = false
      isConnectError = true
      trials = `{"url": "a.root-servers.net", "has_type_a": false, "response": ${formatAnswers([])}, "error": "read udp 192.0.2.9:${1024 + draw(60_000)}->${vp}:53: i/o timeout", "rcode": -1}`
    } else if (fate < 40_000) {
      isConnectError = true
      trials = `${fail()}, ${fail()}, ${fail()}, ${fail()}`
    } else if (fate < 90_000) {
      trials = say([2, 3, 5][draw(3)] as number)
    } else if (fate < 105_000) {
      answers.push(blockPages[resolver % COUNTRIES] as Answer)
      trials = say(0)
    } else {
      const first = draw(name.answers.length)
      // Most resolvers give what control gives; some other addresses of the same network, few a stranger's.
      const isUsual = draw(10) < 8
      const count = Math.min(name.perResponse, isUsual ? IN_CONTROL : POOL)
      for (let at = 0; at < count; at++)
        answers.push(name.answers[isUsual ? (first + at) % IN_CONTROL : (first + at) % POOL] as Answer)
      trials = fate < 125_000 ? `${fail()}, ${say(0)}` : say(0)
    }
    if (size.rows === 'responses')
      return `{${odd}"vp": "${vp}", "test_url": "${name.text}", "response": [${trials}], "passed_liveness": ${isAlive}, "connect_error": ${isConnectError}}`
    const average =
      answers.length === 0 ? 0 : answers.reduce((sum, answer) => sum + answer.confidence, 0) / answers.length
    const anomaly = isAlive && average === 0
    const matches = answers.length === 0 ? 'null' : `[${answers.map((answer) => answer.confidence).join(', ')}]`
    return `{"confidence": {"average": ${average}, "matches": ${matches}, "untagged_controls": false, "untagged_response": false}, "passed_liveness": ${isAlive}, "connect_error": ${isConnectError}, "in_control_group": true, "anomaly": ${anomaly}, "excluded": false, ${odd}"vp": "${vp}", "test_url": "${name.text}", ${times}, "exclude_reason": [], "location": ${location}, "response": [${trials}]}`
  }
}

function formatAddress(first: number, number: number): string {
  return `${first}.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b)
}
