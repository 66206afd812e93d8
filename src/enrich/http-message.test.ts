import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseHttpMessage } from './http-message.ts'

const octetsOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const bodyOf = (text: string, isEnd = false): string | undefined => {
  const message = parseHttpMessage(octetsOf(text), isEnd)
  return message && new TextDecoder().decode(message.body)
}

describe('parseHttpMessage', () => {
  test('reads status, fields that come twice, and a body of a length', () => {
    const text = 'HTTP/1.1 403 Forbidden\r\nSet-Cookie: a\r\nset-cookie: b\r\nContent-Length: 5\r\n\r\nHelloXXX'
    expect(parseHttpMessage(octetsOf(text), false)).toEqual({
      statusLine: '403 Forbidden',
      headers: { 'Set-Cookie': ['a', 'b'], 'Content-Length': ['5'] },
      body: octetsOf('Hello'),
      isTruncated: false,
    })
  })

  test('joins chunks, and waits for the last one', () => {
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
    expect(bodyOf(`${head}5;x=y\r\nHello\r\n6\r\n World\r\n0\r\n\r\n`)).toBe('Hello World')
    expect(bodyOf(`${head}5\r\nHello\r\n`)).toBeUndefined()
    expect(parseHttpMessage(octetsOf(`${head}5\r\nHel`), true)).toMatchObject({ isTruncated: true })
  })

  test('takes everything up to the end where no length is said', () => {
    expect(bodyOf('HTTP/1.0 200 OK\n\nHello')).toBeUndefined()
    expect(parseHttpMessage(octetsOf('HTTP/1.0 200 OK\n\nHello'), true)).toMatchObject({ isTruncated: false })
    expect(bodyOf('HTTP/1.1 204 No Content\r\n\r\n')).toBe('')
  })

  test('keeps 64 KiB, and says that there was more', () => {
    const message = parseHttpMessage(octetsOf(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(70_000)}`), false)
    expect([message?.body.length, message?.isTruncated]).toEqual([65_536, true])
    const short = `HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHello`
    expect(parseHttpMessage(octetsOf(short), true)).toMatchObject({ isTruncated: true })
  })

  test.each(['', 'HTTP/2 200\r\n\r\n', 'SSH-2.0-x\r\n\r\n', 'HTTP/1.1 99 x\r\n\r\n'])('refuses %j', (text) => {
    expect(parseHttpMessage(octetsOf(text), true)).toBeUndefined()
  })

  test('throws for nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (octets, isEnd) => {
        const framed = Uint8Array.from([
          ...octetsOf('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'),
          ...octets,
        ])
        expect(() => parseHttpMessage(framed, isEnd)).not.toThrow()
        expect(() => parseHttpMessage(octets, isEnd)).not.toThrow()
      }),
    )
  })
})
