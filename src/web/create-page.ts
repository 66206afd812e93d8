/** A response of a page. */
import type { Html } from './html-value.ts'

/** Makes a response of a page. */
export async function createPage(content: Html, status = 200): Promise<Response> {
  return new Response(await content, {
    status,
    headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' },
  })
}
