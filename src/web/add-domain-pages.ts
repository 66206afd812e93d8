/** The addresses of the pages about domains and their resolvers. */
import type { Hono } from 'hono'
import type { Clock } from '../core/clock.ts'
import type { DomainSource } from '../model/domain-view.ts'
import { createPage } from './create-page.ts'
import { renderDomainPage } from './domain-page.ts'
import { parseDomainQuery, renderDomainsPage } from './domains-page.ts'
import { renderProblemPage } from './message-page.ts'
import { renderResolversPage } from './resolvers-page.ts'

const TRACES_MAX = 20

/** What these pages read from. */
export interface DomainPageSources {
  readonly domains?: DomainSource | undefined
  readonly clock: Clock
}

/** Adds the pages to `app`; none where there is no such campaign. */
export function addDomainPages(app: Hono, { domains, clock }: DomainPageSources): void {
  if (domains === undefined) return
  app.get('/domains', (context) => {
    const query = parseDomainQuery(new URL(context.req.url).searchParams)
    return query === undefined
      ? createPage(renderProblemPage('bad-parameter', 'No such value for state, q or after.'), 400)
      : createPage(renderDomainsPage(domains, query, clock.wallNowMs()))
  })
  app.get('/domains/:name', (context) => {
    const view = domains.find(context.req.param('name'))
    return view === undefined
      ? createPage(renderProblemPage('not-found', 'No list has this domain.'), 404)
      : createPage(renderDomainPage(view, domains.traces(view.name, TRACES_MAX), clock.wallNowMs()))
  })
  app.get('/resolvers', () => createPage(renderResolversPage(domains)))
}
