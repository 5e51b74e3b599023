/** Segments of the demo, made before its first event; they fill while it arrives. */
export const DEMO_SEGMENTS: readonly { readonly name: string; readonly rule: unknown }[] = [
  {
    name: '回头客 Repeat buyers (30 days)',
    rule: { did: { event: 'Order Completed', measure: 'count', op: 'gte', value: 2, window: { last: '30d' } } },
  },
  {
    name: '高价值 Spent 2,000 or more (60 days)',
    rule: { did: { event: 'Order Completed', measure: 'sum', property: 'revenue', currency: 'CNY', op: 'gte', value: 2000, window: { last: '60d' } } },
  },
  {
    name: '弃单 Started a checkout, no order (7 days)',
    rule: {
      all: [
        { did: { event: 'Checkout Started', measure: 'count', op: 'gte', value: 1, window: { last: '7d' } } },
        { not: { did: { event: 'Order Completed', measure: 'count', op: 'gte', value: 1, window: { last: '7d' } } } },
      ],
    },
  },
  {
    name: '金牌常客 Gold members active on 5 days or more (30 days)',
    rule: {
      all: [
        { profile: { trait: 'tier', op: 'eq', value: 'gold' } },
        { did: { event: '*', measure: 'distinct-days', op: 'gte', value: 5, window: { last: '30d' } } },
      ],
    },
  },
]
