/**
 * A zone with every type that the codec knows, some that it does not, and names that need escapes.
 *
 * The same text is served unsigned and, signed, with NSEC and with NSEC3.
 */

const KEY = 'mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ=='

/** More than fit into a datagram. */
const addresses = Array.from({ length: 60 }, (_, i) => `many A 198.51.100.${i + 1}`)

/** @returns A master file. */
export function formatZone(origin: string): string {
  const longText = Array.from({ length: 8 }, (_, i) => `"${String.fromCharCode(97 + i).repeat(255)}"`)
  return `$ORIGIN ${origin}.
$TTL 3600
@ SOA ns1 hostmaster\\.dns 4294967295 7200 3600 1209600 300
@ NS ns1
@ NS NS2.Other
ns1 A 192.0.2.53
ns1 AAAA 2001:db8::53
ns2.other A 192.0.2.54
@ MX 10 mail
@ MX 20 mail.elsewhere.test.
mail A 192.0.2.25
mail AAAA 2001:db8::25
@ TXT "v=spf1 -all"
@ CAA 0 issue "ca.example; account=1"
@ CAA 128 iodef "mailto:security@${origin}"
a A 192.0.2.1
a A 0.0.0.0
a A 255.255.255.255
aaaa AAAA 2001:db8::1
aaaa AAAA ::
aaaa AAAA ::ffff:192.0.2.1
aaaa AAAA 2001:db8:0:1:0:0:0:1
WWW 60 A 192.0.2.80
alias CNAME www
chain1 CNAME chain2
chain2 CNAME chain3
chain3 CNAME a
away CNAME www.elsewhere.test.
ptr PTR a
txt TXT "plain" "with \\"quotes\\" and \\\\" "" "\\000\\127\\255 ;()@$"
longtext TXT ${longText.join(' ')}
_dns._udp SRV 0 5 53 ns1
_dns._udp SRV 65535 65535 65535 .
naptr NAPTR 100 10 "u" "E2U+sip" "!^.*$!sip:info@${origin}!" .
naptr NAPTR 100 20 "s" "SIP+D2U" "" _sip._udp
ds DS 60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118
_443._tcp.www TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
_53._tcp TLSA 0 0 0 30820001
https HTTPS 1 . alpn=h2,h3 ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1 port=8443
https HTTPS 2 svc no-default-alpn alpn=h3 mandatory=alpn,port port=443 ech=AAH/
alias-https HTTPS 0 svc.elsewhere.test.
svcb SVCB 1 svc alpn=dot key65280="hello\\210"
svcb SVCB 0 svc
dname DNAME a
sshfp SSHFP 4 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
hinfo HINFO "CPU" "OS"
loc LOC 51 30 12.748 N 0 7 39.612 W 0.00m 1m 10000m 10m
uri URI 10 1 "https://www.${origin}/"
rp RP hostmaster txt
openpgp OPENPGPKEY AQIDBA==
cds CDS 60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118
private TYPE65280 \\# 4 0A000001
private-empty TYPE65281 \\# 0
key DNSKEY 256 3 13 ${KEY}
*.wild A 192.0.2.99
*.wild TXT "wildcard"
empty.non-terminal A 192.0.2.7
esc\\.aped\\;\\(\\) A 192.0.2.8
\\000\\255\\032x TXT "binary owner"
${'l'.repeat(63)}.${'m'.repeat(63)}.${'n'.repeat(63)} A 192.0.2.63
child NS ns.child
child NS ns1
child DS 60485 13 2 ${'0123456789abcdef'.repeat(4)}
ns.child A 192.0.2.153
ns.child AAAA 2001:db8::153
insecure NS ns.insecure
ns.insecure A 192.0.2.154
${addresses.join('\n')}
`
}
