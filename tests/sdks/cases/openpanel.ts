import { expect } from 'vitest'
import type { SdkCase } from '../sdk-case.ts'

const visitor: string = expect.stringMatching(/^v-/)

export const openpanelCases: readonly SdkCase[] = [
  {
    protocol: 'openpanel', sdk: 'openpanel-node', version: '1.3.1', runtime: 'node', packages: ['@openpanel/sdk@1.3.1'],
    sent: 'track of nobody, identify, track in a group, increment, decrement, revenue of a device, a group, membership in two, track of another user',
    stored: [
      { type: 'track', event: 'Product Viewed', userId: null, anonymousId: null, channel: 'server' },
      { type: 'identify', userId: 'u1', traits: { firstName: 'Ada', email: 'ada@example.com', plan: 'pro' } },
      { type: 'track', event: 'Signed In', userId: 'u1', groupId: 'g1' },
      { type: 'identify', userId: 'u1', traitOps: { add: { visits: 2 } } },
      { type: 'identify', userId: 'u1', traitOps: { add: { credit: -1 } } },
      { type: 'track', event: 'revenue', userId: 'u1', anonymousId: 'device-1', revenue: '12.5', currency: 'USD' },
      { type: 'group', groupId: 'g1', userId: null, traits: { name: 'Shop', type: 'company', size: 3 } },
      { type: 'group', groupId: 'g1', userId: 'u1' },
      { type: 'group', groupId: 'g2', userId: 'u1' },
      { type: 'track', event: 'Read', userId: 'u2' },
    ],
  },
  {
    protocol: 'openpanel', sdk: 'openpanel-web', version: '1.4.1', runtime: 'browser', packages: ['@openpanel/web@1.4.1'],
    sent: 'screen view, track, identify, increment, pending revenue, membership in a group',
    stored: [
      { type: 'page', anonymousId: visitor, userId: null, channel: 'email' },
      { type: 'track', event: 'Product Viewed', anonymousId: visitor, userId: null },
      { type: 'identify', anonymousId: visitor, userId: 'u1', traits: { firstName: 'Ada', plan: 'pro' } },
      { type: 'identify', userId: 'u1', traitOps: { add: { visits: 1 } } },
      { type: 'track', event: 'revenue', userId: 'u1', revenue: '12.5', currency: 'USD' },
      { type: 'group', groupId: 'g1', userId: 'u1' },
    ],
  },
]
