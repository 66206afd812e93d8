/**
 * The address plan of the laboratory: its loopback and documentation addresses are public and belong to somebody.
 *
 * Each /16 of 127/8 is the neighbourhood of one relay. Neighbourhoods are spread over five networks in four countries,
 * with numbers and codes that are reserved for such use. In 198.18/15 each /24 belongs to somebody: access networks of ten
 * countries in its lower half, sites, content networks and machines of the state in its upper one.
 *
 * Invariant: what is not the laboratory's is as on the public Internet; 127.0/16 is the machine's own and stays reserved.
 *
 * Sources: RFC 5398 (AS numbers for documentation), RFC 6996 (private ones), ISO 3166-1 (user-assigned codes XA to XZ),
 * RFC 5737, RFC 3849, RFC 2544 (198.18/15, for benchmarks).
 */
import { type AddressOwner, type AddressPlan, publicAddressPlan } from '../core/address-plan.ts'
import { type IpOctets, type IpPrefix, parsePrefix, prefixContains } from '../core/ip-address.ts'

const AS_FIRST = 64_496
const AS_COUNT = 5
const COUNTRIES = ['XA', 'XB', 'XC', 'XD'] as const
/** 127.252 and above: authorities, pages and the shared resolver. */
const SERVERS_FROM = 252

const DOCUMENTATION: readonly { readonly prefix: IpPrefix; readonly owner: AddressOwner }[] = [
  { prefix: prefixOf('198.51.100.0/24'), owner: ownerOf(64_510, 'Laboratory Sites', 'XE') },
  { prefix: prefixOf('203.0.113.0/24'), owner: ownerOf(64_511, 'Laboratory Lies', 'XF') },
  { prefix: prefixOf('192.0.2.0/24'), owner: ownerOf(64_509, 'Laboratory Clients', 'XG') },
  { prefix: prefixOf('2001:db8::/32'), owner: ownerOf(64_510, 'Laboratory Sites', 'XE') },
]

/** Countries of the access networks in 198.18/16: codes that nobody uses, as XK is for Kosovo. */
export const ACCESS_COUNTRIES: readonly string[] = ['XI', 'XJ', 'XV', 'XL', 'XM', 'XN', 'XO', 'XP', 'XQ', 'XR']
/** Networks of each country, in turn by the third octet. */
export const ACCESS_NETWORKS_PER_COUNTRY = 2
const ACCESS_AS_FIRST = 64_520
/** Third octets in 198.19/16. */
export const SITE_BLOCKS = { hosting: 0, content: 32, state: 64, control: 96 } as const
const HOSTING_AS_FIRST = 64_560
const HOSTING_NETWORKS = 8
const STATE_AS_FIRST = 64_600
const CONTROL_AS_FIRST = 64_630
/**
 * Content networks with the numbers and names of a real table, two of one operator after each other: rules know them by
 * these. The last two have such a name and no such number.
 */
export const CONTENT_NETWORKS: readonly { readonly asn: number; readonly asName: string }[] = [
  { asn: 13_335, asName: 'LAB-CLOUDFLARENET' },
  { asn: 209_242, asName: 'LAB-CLOUDFLARENET-2' },
  { asn: 16_509, asName: 'LAB-AMAZON-02' },
  { asn: 14_618, asName: 'LAB-AMAZON-AES' },
  { asn: 20_940, asName: 'Lab Akamai International' },
  { asn: 16_625, asName: 'Lab Akamai Technologies' },
  { asn: 15_169, asName: 'LAB-GOOGLE' },
  { asn: 396_982, asName: 'LAB-GOOGLE-CLOUD' },
  { asn: 64_580, asName: 'LAB-GOOGLEPLEX-HOSTING' },
  { asn: 64_581, asName: 'LAB-AMAZONAS-HOSTING' },
]

/** The plan. */
export const laboratoryAddressPlan: AddressPlan = {
  isPublic: (octets) => findOwner(octets) !== undefined || publicAddressPlan.isPublic(octets),
  isBogusAnswer: (octets) => findOwner(octets) === undefined && publicAddressPlan.isBogusAnswer(octets),
  lookup: (octets) => findOwner(octets) ?? publicAddressPlan.lookup(octets),
}

/** Whether an address belongs to the laboratory. */
export function ownsLaboratoryAddress(octets: IpOctets): boolean {
  return findOwner(octets) !== undefined
}

function findOwner(octets: IpOctets): AddressOwner | undefined {
  const [first = 0, second = 0, third = 0] = octets
  if (octets.length === 4 && first === 198 && second === 18) return ownerOfAccess(third)
  if (octets.length === 4 && first === 198 && second === 19) return ownerOfSite(third)
  if (octets.length === 4 && first === 127 && second > 0) {
    if (second >= SERVERS_FROM) return ownerOf(64_508, 'Laboratory Central', 'XH')
    const index = second % AS_COUNT
    return ownerOf(AS_FIRST + index, `Laboratory Network ${index + 1}`, COUNTRIES[second % COUNTRIES.length] ?? 'XA')
  }
  return DOCUMENTATION.find(({ prefix }) => prefixContains(prefix, octets))?.owner
}

function ownerOfAccess(third: number): AddressOwner {
  const network = third % (ACCESS_COUNTRIES.length * ACCESS_NETWORKS_PER_COUNTRY)
  const country = ACCESS_COUNTRIES[Math.floor(network / ACCESS_NETWORKS_PER_COUNTRY)] ?? ''
  return ownerOf(
    ACCESS_AS_FIRST + network,
    `Laboratory Access ${country} ${(network % ACCESS_NETWORKS_PER_COUNTRY) + 1}`,
    country,
  )
}

function ownerOfSite(third: number): AddressOwner {
  if (third >= SITE_BLOCKS.control)
    return ownerOf(CONTROL_AS_FIRST + third - SITE_BLOCKS.control, 'Laboratory Control', 'XS')
  if (third >= SITE_BLOCKS.state) {
    const index = (third - SITE_BLOCKS.state) % ACCESS_COUNTRIES.length
    const country = ACCESS_COUNTRIES[index] ?? ''
    return ownerOf(STATE_AS_FIRST + index, `Laboratory State Network ${country}`, country)
  }
  if (third >= SITE_BLOCKS.content) {
    const network = CONTENT_NETWORKS[(third - SITE_BLOCKS.content) % CONTENT_NETWORKS.length]
    if (network !== undefined) return { ...network, country: 'XU' }
  }
  const index = third % HOSTING_NETWORKS
  return ownerOf(HOSTING_AS_FIRST + index, `Laboratory Hosting ${index + 1}`, 'XT')
}

function ownerOf(asn: number, asName: string, country: string): AddressOwner {
  return { asn, asName, country }
}

function prefixOf(text: string): IpPrefix {
  // The literals of this file are valid; an empty prefix would contain nothing and fail the test.
  return parsePrefix(text) ?? { octets: new Uint8Array(), bits: 0 }
}
