import { describe, expect, test } from 'vitest'
import { createMicrodescriptorReader } from './microdescriptor.ts'

const TEXTS = [
  'onion-key\nntor-onion-key MwDYSOkbdHByO1G5Z9+kuggr/f9QccoN33y/qhLGLE8\np accept 1-65535\np6 accept 80\nid ed25519 uh7D\n',
  'onion-key\nntor-onion-key AAAASOkbdHByO1G5Z9+kuggr/f9QccoN33y/qhLGLE8\nfamily $000C1F7CD2FEA073B911DC94A1600EC2F117DF0B\n',
] as const

async function digest(text: string): Promise<string> {
  const octets = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return Buffer.from(octets).toString('base64').replace(/=+$/, '')
}

describe('createMicrodescriptorReader', () => {
  test('finds each by the digest of its text', async () => {
    const reader = createMicrodescriptorReader()
    for (const line of ['p accept 1-65535', ...TEXTS.join('').trimEnd().split('\n')]) reader.take(line)
    const found = await reader.finish()
    expect(found.size).toBe(2)
    expect(found.get(await digest(TEXTS[0]))).toMatchObject({ exitsToIpv4: true, exitsToIpv6: true, contact: null })
    expect(found.get(await digest(TEXTS[1]))).toMatchObject({
      exitsToIpv4: false,
      exitsToIpv6: false,
      family: ['000C1F7CD2FEA073B911DC94A1600EC2F117DF0B'],
    })
  })

  test('finds nothing in nothing', async () => {
    expect((await createMicrodescriptorReader().finish()).size).toBe(0)
  })
})
