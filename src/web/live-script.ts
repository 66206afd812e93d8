/**
 * The one script of the pages: listens for events of the run and replaces the parts of the page that changed.
 *
 * A lost connection leaves no gap: the page is fetched again when the stream is back, whatever it says, and when fetching
 * failed, with the next event. A stream that is refused is asked for again later, and the page is fetched meanwhile.
 *
 * Invariant: asks only this server for the page that is shown already, at most once a second; pages without it are whole.
 */

/** JavaScript for the browser. */
export const LIVE_SCRIPT = `'use strict'
;(() => {
  const PAUSE_MS = 1000
  const AGAIN_MS = 15000
  const main = document.getElementById('main')
  if (main === null || !('EventSource' in window)) return
  let isLoading = false
  let isWanted = false
  let revision = ''

  const idsOf = (root) => Array.from(root.children, (child) => child.id).join(' ')

  const scrollsOf = (root) => Array.from(root.querySelectorAll('.scroll'), (box) => box.scrollLeft)

  const replace = (old, fresh) => {
    const scrolls = scrollsOf(old)
    const focused = old.contains(document.activeElement) ? document.activeElement : null
    const href = focused === null ? null : focused.getAttribute('href')
    old.replaceWith(fresh)
    Array.from(fresh.querySelectorAll('.scroll')).forEach((box, index) => {
      box.scrollLeft = scrolls[index] || 0
    })
    if (href !== null) {
      const again = Array.from(fresh.querySelectorAll('a')).find((link) => link.getAttribute('href') === href)
      if (again) again.focus({ preventScroll: true })
    }
  }

  const isBusy = (part) => {
    const active = document.activeElement
    if (active !== null && part.contains(active) && active.tagName === 'INPUT') return true
    const selection = window.getSelection()
    return selection !== null && !selection.isCollapsed && part.contains(selection.anchorNode)
  }

  const swap = (text) => {
    const fresh = new DOMParser().parseFromString(text, 'text/html')
    const freshMain = fresh.getElementById('main')
    if (freshMain === null) return
    document.title = fresh.title
    if (idsOf(main) !== idsOf(freshMain)) {
      if (!isBusy(main)) main.replaceChildren(...Array.from(freshMain.children))
      return
    }
    const parts = Array.from(freshMain.children)
    Array.from(main.children).forEach((old, index) => {
      const part = parts[index]
      if (part && old.outerHTML !== part.outerHTML && !isBusy(old)) replace(old, part)
    })
  }

  const load = async () => {
    if (isLoading || document.hidden) {
      isWanted = true
      return
    }
    isLoading = true
    isWanted = false
    try {
      const response = await fetch(window.location.href, { headers: { accept: 'text/html' } })
      if (response.ok || response.status === 404) swap(await response.text())
      else revision = ''
    } catch {
      // The server is gone; the stream tells when it is back, and then the page counts as unseen.
      revision = ''
    }
    window.setTimeout(() => {
      isLoading = false
      if (isWanted) load()
    }, PAUSE_MS)
  }

  const listen = () => {
    const events = new EventSource('/api/v1/events')
    const notice = (event) => {
      const seen = event.type + event.data
      if (seen === revision) return
      revision = seen
      load()
    }
    events.addEventListener('run', notice)
    events.addEventListener('schedule', notice)
    events.addEventListener('monitor', notice)
    events.addEventListener('error', () => {
      revision = ''
      if (events.readyState !== EventSource.CLOSED) return
      // Refused, because all streams are taken: the page asks by itself until one is free.
      window.setTimeout(() => {
        load()
        listen()
      }, AGAIN_MS)
    })
  }
  listen()
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && isWanted) load()
  })
})()
`
