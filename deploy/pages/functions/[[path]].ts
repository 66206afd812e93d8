/** Every request of the site: published files from the stores, and the page that shows them. */
import { answerRequest, type PagesContext } from '../src/answer-request.ts'

/** What Cloudflare Pages calls. */
export function onRequest(context: PagesContext): Promise<Response> {
  return answerRequest(context)
}
