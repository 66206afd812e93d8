/**
 * A DoH server in a process of its own, so that only clients are measured: `node doh-server.ts CERTIFICATE KEY`.
 *
 * Answers each POST with the query as a response without records, over HTTP/2 and HTTP/1.1. Prints its port; ends with
 * its standard input.
 */
import { readFileSync } from 'node:fs'
import { createSecureServer } from 'node:http2'

const [certificate = '', key = ''] = process.argv.slice(2)
const server = createSecureServer({ cert: readFileSync(certificate), key: readFileSync(key), allowHTTP1: true })
server.on('request', (request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    const answer = Buffer.concat(parts)
    answer[2] = (answer[2] ?? 0) | 0x80
    response.writeHead(200, { 'content-type': 'application/dns-message', 'content-length': answer.length })
    response.end(answer)
  })
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.stdout.write(`${typeof address === 'object' && address !== null ? address.port : 0}\n`)
})
process.stdin.resume().on('end', () => {
  process.exit()
})
