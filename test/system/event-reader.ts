/** A client of the event stream that loses its connection, as browsers do, and notes what it was told. */

/** One event. */
export interface ReadEvent {
  readonly event: string
  readonly id: string | null
  readonly data: Readonly<Record<string, unknown>>
}

/** A reader that goes on where it was. */
export interface EventReader {
  /** Everything that was told, over all connections. */
  readonly events: readonly ReadEvent[]
  /**
   * Connects with the last id and reads until `isEnough`, then drops the connection.
   *
   * @returns Whether it was enough before the connection was lost or 60 seconds had passed.
   */
  read(url: string, isEnough: (event: ReadEvent) => boolean): Promise<boolean>
}

/** Makes a reader; `lastId` is what it has seen before. */
export function createEventReader(lastId?: string): EventReader {
  const events: ReadEvent[] = []
  let seen = lastId
  return {
    events,
    read: async (url, isEnough) => {
      const signal = AbortSignal.timeout(60_000)
      try {
        const headers: Record<string, string> = seen === undefined ? {} : { 'last-event-id': seen }
        const response = await fetch(`${url}api/v1/events`, { headers, signal })
        let text = ''
        for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
          text += part
          const whole = text.split('\n\n')
          text = whole.pop() ?? ''
          for (const block of whole) {
            const event = parseEvent(block)
            if (event === undefined) continue
            events.push(event)
            seen = event.id ?? seen
            if (isEnough(event)) return true
          }
        }
        return false
      } catch {
        return false
      }
    },
  }
}

function parseEvent(block: string): ReadEvent | undefined {
  const field = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1]
  const [event, data] = [field('event'), field('data')]
  if (event === undefined || data === undefined) return undefined
  return { event, id: field('id') ?? null, data: JSON.parse(data) as Readonly<Record<string, unknown>> }
}
