/**
 * Web servers of the laboratory: HTTP and HTTPS at every address of a group, with the certificate and the page of the name
 * that is asked for.
 *
 * Invariant: connections and their time are bounded; nothing depends on who asks.
 *
 * Sources: RFC 9112, RFC 6066 section 3 (SNI).
 */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createSecureContext, type SecureContext } from 'node:tls'
import { createCertificateAuthority, type CertificateAuthority } from './certificate-authority.ts'
import type { LaboratoryRoute } from './laboratory-net.ts'
import { toLoopbackAddress } from './loopback-address.ts'
import type { Site, SiteCertificate, SiteGroup } from './site-group.ts'

const HTTP_PORT = 80
const HTTPS_PORT = 443
const CONNECTIONS_MAX = 512
const IDLE_MS = 5_000

/** Servers that stand. */
export interface SiteServers {
  readonly routes: readonly LaboratoryRoute[]
  close(): Promise<void>
}

/** Starts the servers of all groups. @param nowMs - Unix milliseconds. */
export async function startSiteServers(
  groups: readonly SiteGroup[],
  authority: CertificateAuthority,
  nowMs: number,
): Promise<SiteServers> {
  const contexts = createContexts(authority, nowMs)
  const routes: LaboratoryRoute[] = []
  const servers: Server[] = []
  const open = new Set<Socket>()
  const listen = async (address: string, port: number, serve: (socket: Socket) => void): Promise<void> => {
    const server = createServer((socket) => {
      if (open.size >= CONNECTIONS_MAX) {
        socket.destroy()
        return
      }
      open.add(socket)
      socket.on('error', () => {})
      socket.once('close', () => open.delete(socket))
      serve(socket)
    })
    servers.push(server)
    server.listen(0, toLoopbackAddress(address))
    await once(server, 'listening')
    const local = server.address() as AddressInfo
    routes.push({ protocol: 'tcp', address, port, to: { address: local.address, port: local.port } })
  }
  for (const group of groups) {
    const answer = createAnswer(group)
    const http = createHttpServer({ keepAliveTimeout: IDLE_MS, requestTimeout: IDLE_MS }, answer)
    const fallback = contexts(group.fallback.certificate)
    const https = createHttpsServer(
      {
        ...fallback.pem,
        requestTimeout: IDLE_MS,
        handshakeTimeout: IDLE_MS,
        SNICallback: (name, done) => {
          done(null, contexts((group.sites.get(name.toLowerCase()) ?? group.fallback).certificate).context())
        },
      },
      answer,
    )
    https.on('tlsClientError', () => {})
    for (const address of group.addresses) {
      await listen(address, HTTP_PORT, (socket) => http.emit('connection', socket))
      await listen(address, HTTPS_PORT, (socket) => https.emit('connection', socket))
    }
  }
  return {
    routes,
    close: async () => {
      for (const socket of open) socket.destroy()
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
    },
  }
}

/** A certificate that servers use, made when it is first needed. */
interface ServedCertificate {
  readonly pem: { readonly cert: string; readonly key: string }
  context(): SecureContext
}

function createContexts(
  authority: CertificateAuthority,
  nowMs: number,
): (certificate: SiteCertificate) => ServedCertificate {
  const nobody = createCertificateAuthority('Nobody knows this authority', nowMs)
  const known = new Map<string, ServedCertificate>()
  return ({ id, names, isTrusted }) => {
    const found = known.get(id)
    if (found !== undefined) return found
    const { certificate, key } = (isTrusted ? authority : nobody).issue({ names })
    const pem = { cert: certificate, key }
    let context: SecureContext | undefined
    const made: ServedCertificate = { pem, context: () => (context ??= createSecureContext(pem)) }
    known.set(id, made)
    return made
  }
}

function createAnswer({ sites, fallback }: SiteGroup): RequestListener {
  return (request, response) => {
    const host = (request.headers.host ?? '').toLowerCase().replace(/:\d+$/, '')
    const { page }: Site = sites.get(host) ?? fallback
    const body = page.isDynamic ? `${page.body}<p>${randomUUID()}</p>\n` : page.body
    response.writeHead(page.status, { 'Content-Type': 'text/html; charset=utf-8', Connection: 'close' }).end(body)
  }
}
