/** Rows of every published shape, written by hand; addresses and names are of the documentation ranges. */

const TIMES = {
  start_time: '2021-04-18 14:49:01.62448452 -0400 EDT m=+10140.55',
  end_time: '2021-04-18 14:49:02 -0400 EDT',
}
const LOCATION = { location: { country_name: 'Exampleland', country_code: 'XE' } }
const CONFIDENCE = { average: 37.5, matches: [75, 0], untagged_controls: false, untagged_response: false }
const V22 = {
  vp: '192.0.2.53',
  test_url: 'www.example.org',
  ...LOCATION,
  passed_liveness: true,
  connect_error: false,
  in_control_group: true,
  anomaly: false,
  confidence: CONFIDENCE,
  ...TIMES,
  excluded: false,
  exclude_reason: [],
}
const V22_TRIALS = [
  { url: 'www.example.org', has_type_a: false, response: {}, error: 'read udp: i/o timeout', rcode: -1 },
  {
    url: 'www.example.org',
    has_type_a: true,
    response: {
      '198.51.100.7': { http: 'aa', cert: '', asname: 'EXAMPLE', asnum: 64500, matched: ['http', 'asnum', 'asname'] },
      '198.51.100.8': { http: '', cert: '', asname: '', asnum: 0, matched: null },
    },
    error: 'null',
    rcode: 0,
  },
]

/** Flavour → rows by what they show, judged and not judged. */
export const SATELLITE_ROWS: Readonly<Record<string, Readonly<Record<string, object>>>> = {
  v1: {
    judged: {
      resolver: '192.0.2.53',
      query: 'www.example.org',
      answers: { '198.51.100.7': ['ip', 'asnum'], '198.51.100.8': ['no_tags'], '198.51.100.9': [] },
      passed: true,
    },
    notJudged: { resolver: '192.0.2.53', query: 'www.example.org', answers: ['198.51.100.7', '198.51.100.8'] },
    singular: { resolver: '192.0.2.53', query: 'www.example.org', answer: '198.51.100.7' },
    failed: { ip: '192.0.2.53', query: 'www.example.org', error: { op: 'read', code: 5 } },
    empty: { resolver: '192.0.2.53', query: 'www.example.org', error: 'no_answer', later: [1, { field: null }] },
  },
  'v2.0': {
    judged: {
      vp: '192.0.2.53',
      test_url: 'www.example.org',
      ...LOCATION,
      response: { '198.51.100.7': ['cert', 'asnum', 'asname'], rcode: ['0', '0', '0'] },
      passed_control: true,
      connect_error: false,
      in_control_group: true,
      anomaly: false,
      confidence: { average: 60, matches: [60], untagged_controls: false, untagged_answers: false },
      ...TIMES,
    },
    repeated: {
      vp: '192.0.2.53',
      test_url: 'www.example.org',
      ...LOCATION,
      response: { rcode: ['0', '3', '3', '3', '3', '0'] },
      passed_control: true,
      connect_error: false,
      in_control_group: true,
      anomaly: true,
      confidence: { average: 0, matches: null, untagged_controls: false, untagged_response: false },
      ...TIMES,
    },
  },
  'v2.1': {
    judged: {
      vp: '192.0.2.53',
      test_url: 'www.example.org',
      ...LOCATION,
      response: {
        '198.51.100.7': [],
        '198.51.100.8': ['no_tags'],
        error: ['read udp: i/o timeout', 'read udp: i/o timeout'],
        rcode: ['-1', '-1', '0'],
      },
      passed_control: true,
      connect_error: false,
      in_control_group: true,
      anomaly: true,
      confidence: { average: 0, matches: [0, 0], untagged_controls: false, untagged_response: false },
      ...TIMES,
    },
    withoutErrors: {
      vp: '192.0.2.53',
      test_url: 'www.example.org',
      response: { rcode: ['-1', '-1', '-1', '-1'] },
      passed_control: true,
      anomaly: false,
      start_time: '',
    },
    notAlive: { vp: '192.0.2.53', test_url: 'www.example.org', ...LOCATION, response: {}, passed_control: false },
    verified: {
      vp: '192.0.2.53',
      test_url: 'www.example.org',
      ...LOCATION,
      response: { '198.51.100.7': [], rcode: ['0'] },
      excluded: true,
      excluded_reason: ['is_CDN', 'is_CDN'],
    },
    notJudged: {
      vp: '192.0.2.53',
      test_url: 'www.example.org',
      response: [
        {
          url: 'a.root-servers.example',
          has_type_a: true,
          response: ['192.0.2.4'],
          error: 'null',
          rcode: 0,
          ...TIMES,
        },
        { url: 'www.example.org', has_type_a: false, response: null, error: 'null', rcode: 3, ...TIMES },
      ],
      passed_control: true,
      connect_error: false,
    },
  },
  'v2.2': {
    judged: { ...V22, response: V22_TRIALS },
    unusual: {
      ...V22,
      new_field: { nested: [true, 1.5] },
      exclude_reason: null,
      response: [
        {
          url: 'www.example.org',
          has_type_a: true,
          response: {
            '198.51.100.7': { http: '', cert: '', asname: 'EXAMPLE', asnum: '', matched: [], ttl: 30 },
            '198.51.100.8': { http: null, cert: null, asname: null, asnum: 64500, matched: ['asnum'] },
          },
          error: 'null',
          rcode: 0,
          server: 'x',
        },
      ],
    },
    notJudged: {
      vp: '192.0.2.53',
      test_url: 'www.example.org',
      response: [{ url: 'www.example.org', has_type_a: true, response: ['198.51.100.7'], error: 'null', rcode: 0 }],
      passed_liveness: true,
      connect_error: false,
    },
  },
  'v2.3': {
    judged: {
      ...V22,
      response: [
        {
          url: 'www.example.org',
          has_type_a: true,
          response: {
            '198.51.100.7': {
              http: 'aa',
              cert: '',
              asname: 'EXAMPLE',
              asnum: 64500,
              matched: ['asnum', 'asname'],
              class: ['expected/malformed_domain'],
            },
          },
          error: 'null',
          rcode: 0,
        },
      ],
      class: 'expected/malformed_domain',
      resolver_info: { connect_error: '0.0000', invalid_cert: '0.0000', non_zero_rcode: '0.0000' },
    },
  },
}
