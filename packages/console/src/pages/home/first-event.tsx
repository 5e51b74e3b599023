import { useEffect, useState } from 'react'
import { getSetup, type Setup } from '../../lib/api.ts'
import { useWords } from '../../lib/words.ts'
import { Card } from '../../parts/card.tsx'
import { Snippet, type Example } from '../../parts/snippet.tsx'

/** How to send events here, with the project's own write key in the code. */
export const FirstEvent = ({ first }: { readonly first: boolean }) => {
  const text = useWords()
  const [setup, setSetup] = useState<Setup | null>(null)
  useEffect(() => {
    getSetup().then(setSetup, () => setSetup(null))
  }, [])
  const writeKey = setup?.writeKey ?? `<${text.noWriteKey}>`
  return (
    <Card title={first ? text.firstEvent : text.sendEvents} hint={text.firstEventHint}>
      <Snippet examples={examples(location.origin, writeKey)} />
    </Card>
  )
}

const examples = (origin: string, writeKey: string): readonly Example[] => [
  {
    name: 'curl',
    code: `curl ${origin}/v1/track -u ${writeKey}: \\
  -H 'content-type: application/json' \\
  -d '{"anonymousId":"browser-1","event":"Product Viewed",
       "properties":{"name":"明前龙井","price":168}}'`,
  },
  {
    name: 'Node',
    code: `// npm install @segment/analytics-node
import { Analytics } from '@segment/analytics-node'

const analytics = new Analytics({
  writeKey: '${writeKey}',
  host: '${origin}',
})
analytics.track({
  anonymousId: 'browser-1',
  event: 'Product Viewed',
  properties: { name: '明前龙井', price: 168 },
})
await analytics.closeAndFlush()`,
  },
  {
    name: 'JavaScript',
    code: `// npm install @segment/analytics-next
import { AnalyticsBrowser } from '@segment/analytics-next'

const analytics = AnalyticsBrowser.load(
  { writeKey: '${writeKey}', cdnURL: '${origin}' },
  { integrations: { 'Segment.io': {
      apiHost: '${origin.replace(/^https?:\/\//, '')}/v1', protocol: '${origin.split(':')[0]}' } } },
)
analytics.track('Product Viewed', { name: '明前龙井', price: 168 })`,
  },
  {
    name: 'Python',
    code: `# pip install segment-analytics-python
import segment.analytics as analytics

analytics.write_key = '${writeKey}'
analytics.host = '${origin}'
analytics.track(anonymous_id='browser-1', event='Product Viewed',
                properties={'name': '明前龙井', 'price': 168})
analytics.flush()`,
  },
]
