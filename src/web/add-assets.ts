/** What pages load: style, script and icon, all from this server. */
import type { Hono } from 'hono'
import { LIVE_SCRIPT } from './live-script.ts'
import { SITE_ICON } from './site-icon.ts'
import { BASE_STYLE } from './style-base.ts'
import { COMPONENT_STYLE } from './style-components.ts'
import { HISTORY_STYLE } from './style-history.ts'
import { MONITOR_STYLE } from './style-monitor.ts'
import { SATELLITE_STYLE } from './style-satellite.ts'

/** Adds the addresses of what pages load. */
export function addAssets(app: Hono): void {
  const add = (path: string, type: string, content: string): void => {
    app.get(path, () => new Response(content, { headers: { 'content-type': type, 'cache-control': 'no-cache' } }))
  }
  add(
    '/assets/candor.css',
    'text/css; charset=utf-8',
    BASE_STYLE + COMPONENT_STYLE + HISTORY_STYLE + MONITOR_STYLE + SATELLITE_STYLE,
  )
  add('/assets/candor.js', 'text/javascript; charset=utf-8', LIVE_SCRIPT)
  add('/assets/candor.svg', 'image/svg+xml; charset=utf-8', SITE_ICON)
  add('/favicon.ico', 'image/svg+xml; charset=utf-8', SITE_ICON)
  add('/robots.txt', 'text/plain; charset=utf-8', 'User-agent: *\nDisallow: /\n')
}
