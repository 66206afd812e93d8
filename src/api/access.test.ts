import { describe, expect, test } from 'vitest'
import { createVirtualClock } from '../../test/sim/virtual-clock.ts'
import { createAccessGuard, digest, type AccessGuard, type ApiToken } from './access.ts'

const TOKEN = 'candor_right'
const STRANGER = { isOwner: false, address: '203.0.113.9' }

async function tokensOf(scopes: ApiToken['scopes'] = ['read', 'write']): Promise<readonly ApiToken[]> {
  const others = await Promise.all(
    ['a', 'b', 'c'].map(async (name) => ({ name, scopes, sha256: await digest(name), created_at: '' })),
  )
  return [...others, { name: 'right', scopes, sha256: await digest(TOKEN), created_at: '' }]
}

function createGuard(isReadProtected = false, scopes?: ApiToken['scopes']): AccessGuard {
  const rules = { tokens: () => tokensOf(scopes), isReadProtected: () => isReadProtected }
  return createAccessGuard(rules, createVirtualClock())
}

describe('createAccessGuard', () => {
  test('lets anybody read, where reading is not protected, and nobody give orders without a token', async () => {
    const guard = createGuard()
    expect(await guard.check('read', STRANGER, undefined)).toEqual({ granted: true })
    expect(await guard.check('read', STRANGER, 'Bearer wrong')).toEqual({ granted: true })
    expect(await guard.check('write', STRANGER, undefined)).toMatchObject({ problem: 'token-needed' })
  })

  test('lets the owner of the socket do everything', async () => {
    expect(await createGuard(true).check('write', { isOwner: true }, undefined)).toEqual({ granted: true })
  })

  test.each(['Bearer candor_right', 'bearer  candor_right'])('takes the header %s', async (header) => {
    expect(await createGuard().check('write', STRANGER, header)).toEqual({ granted: true })
  })

  test.each([
    '',
    'Bearer',
    'Bearer candor_righ',
    'Bearer candor_right2',
    'Token candor_right',
    'Bearer a b',
    'Basic ???',
  ])('refuses the header "%s"', async (header) => {
    expect(await createGuard().check('write', STRANGER, header)).toMatchObject({ problem: 'token-needed' })
  })

  test('takes a token as password for reading, and never for orders', async () => {
    const header = `Basic ${btoa(`anybody:${TOKEN}`)}`
    expect(await createGuard(true).check('read', STRANGER, header)).toEqual({ granted: true })
    expect(await createGuard(true).check('write', STRANGER, header)).toMatchObject({ problem: 'token-needed' })
  })

  test('does not let a token for reading give orders', async () => {
    const guard = createGuard(true, ['read'])
    expect(await guard.check('read', STRANGER, `Bearer ${TOKEN}`)).toEqual({ granted: true })
    expect(await guard.check('write', STRANGER, `Bearer ${TOKEN}`)).toMatchObject({ problem: 'not-allowed' })
  })

  test('answers ten wrong tokens of an address, then none for a while, and others go on', async () => {
    const guard = createGuard()
    for (let guess = 0; guess < 10; guess++) {
      expect(await guard.check('write', STRANGER, `Bearer guess${guess}`)).toMatchObject({ problem: 'token-needed' })
    }
    for (const token of ['guess10', TOKEN]) {
      expect(await guard.check('write', STRANGER, `Bearer ${token}`)).toMatchObject({
        problem: 'too-many-requests',
        retryAfterSeconds: 6,
      })
    }
    const neighbour = { isOwner: false, address: '203.0.113.10' }
    expect(await guard.check('write', neighbour, `Bearer ${TOKEN}`)).toEqual({ granted: true })
  })

  test('counts the addresses of one IPv6 network as one', async () => {
    const guard = createGuard()
    for (let guess = 0; guess < 10; guess++) {
      await guard.check('write', { isOwner: false, address: `2001:db8:1:2::${guess}` }, 'Bearer wrong')
    }
    const answers = await Promise.all(
      ['2001:db8:1:2:ffff::1', '2001:db8:1:3::1'].map((address) =>
        guard.check('write', { isOwner: false, address }, `Bearer ${TOKEN}`),
      ),
    )
    expect(answers.map(({ granted }) => granted)).toEqual([false, true])
  })

  test('lets one token give thirty orders at once', async () => {
    const guard = createGuard()
    for (let order = 0; order < 30; order++) await guard.check('write', STRANGER, `Bearer ${TOKEN}`)
    expect(await guard.check('write', STRANGER, `Bearer ${TOKEN}`)).toMatchObject({ problem: 'too-many-requests' })
  })
})
