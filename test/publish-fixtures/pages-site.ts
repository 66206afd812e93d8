/** The Cloudflare Pages site on this machine: built by wrangler without a network, run by workerd. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { convertV4MiniflareOptions, Miniflare, Response as WorkerdResponse } from 'miniflare'
import type { HeldObject } from '../../src/lab/object-store.ts'
import { HOME } from '../tidy/source-tree.ts'

const require = createRequire(import.meta.url)
const PAGES = join(HOME, 'deploy/pages')
const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
}

/** Builds the function as a deployment does. @returns The worker's script. */
export async function buildPagesFunction(directory: string): Promise<string> {
  const wrangler = join(dirname(require.resolve('wrangler/package.json')), 'bin/wrangler.js')
  const argv = [wrangler, 'pages', 'functions', 'build', 'functions', '--outdir', directory]
  await promisify(execFile)(process.execPath, argv, {
    cwd: PAGES,
    env: { ...process.env, WRANGLER_SEND_METRICS: 'false', WRANGLER_HIDE_BANNER: 'true', HOME: directory },
  })
  return readFile(join(directory, 'index.js'), 'utf8')
}

/** A site that runs. */
export interface PagesSite extends AsyncDisposable {
  /** `http://127.0.0.1:PORT/`. */
  readonly url: URL
  /** Puts an object into one of the buckets. */
  put(bucket: 'ONE' | 'TWO', key: string, object: Pick<HeldObject, 'octets' | 'headers'>): Promise<void>
  remove(bucket: 'ONE' | 'TWO', key: string): Promise<void>
}

interface Bucket {
  put(key: string, octets: Uint8Array, options: { readonly customMetadata: Record<string, string> }): Promise<unknown>
  delete(key: string): Promise<void>
}

/** Starts the site with two empty buckets, `ONE` and `TWO`. */
export async function startPagesSite(script: string, stores: string): Promise<PagesSite> {
  const options = convertV4MiniflareOptions({
    name: 'pages',
    modules: true,
    script,
    host: '127.0.0.1',
    port: 0,
    compatibilityDate: '2026-11-01',
    cf: false,
    bindings: { STORES: stores },
    r2Buckets: ['ONE', 'TWO'],
    serviceBindings: {
      // The server of static files: it has everything of the directory, also what nobody is to see.
      ASSETS: async (request) => {
        const path = new URL(request.url).pathname
        const name = path === '/' ? 'index.html' : path.slice(1)
        const content = await readFile(join(PAGES, 'public', name)).catch(() => undefined)
        if (content === undefined) return new WorkerdResponse('no such asset', { status: 404 })
        const type = TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream'
        return new WorkerdResponse(content, { headers: { 'content-type': type } })
      },
    },
  })
  const miniflare = new Miniflare(options)
  // Its type comes from a package of types that nothing else needs.
  const openBucket = async (name: string): Promise<Bucket> => (await miniflare.getR2Bucket(name)) as unknown as Bucket
  const url = await miniflare.ready
  return {
    url,
    put: async (name, key, { octets, headers }) => {
      const bucket = await openBucket(name)
      const sha256 = headers['x-amz-meta-sha256'] ?? ''
      await bucket.put(key, octets, { customMetadata: { sha256 } })
    },
    remove: async (name, key) => {
      await (await openBucket(name)).delete(key)
    },
    [Symbol.asyncDispose]: () => miniflare.dispose(),
  }
}
