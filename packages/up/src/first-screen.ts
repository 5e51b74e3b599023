/** What a newcomer sees when Millrace runs. */
export interface FirstScreen {
  readonly version: string
  readonly url: string
  readonly clickhouseUrl: string
  readonly dataDir: string
  readonly project: { readonly name: string; readonly zone: string; readonly currency: string }
  readonly writeKey: string
  /** Told once, when it was made. */
  readonly apiKey: string | null
  /** Signs one browser in, once. */
  readonly link: string
  readonly seconds: number
  readonly sync: 'disk' | 'os'
  /** What has started it. */
  readonly command: 'npm start' | 'npm run stack'
  /** Rows below the data folder: what else runs. */
  readonly more?: readonly (readonly [name: string, value: string, note: string])[]
}

/** @param colour whether the terminal shows escapes */
export const firstScreen = (screen: FirstScreen, colour: boolean): string => {
  const paint = (code: string) => (text: string) => (colour ? `\u001B[${code}m${text}\u001B[0m` : text)
  const [bold, soft, accent] = [paint('1'), paint('2'), paint('36')]
  const row = (name: string, value: string, note = '') => `  ${soft(name.padEnd(11))} ${value}${note ? `  ${soft(note)}` : ''}`
  return [
    '',
    `  ${bold('Millrace')} ${screen.version} runs ${soft(`(ready in ${screen.seconds.toFixed(1)} s; stop with Ctrl-C)`)}`,
    '',
    row('Page', accent(screen.link), 'open it: signs you in, works once'),
    row('Events', `${screen.url}/v1/…`, "Segment's SDKs; others at their own paths"),
    row('API', `${screen.url}/api/…`),
    row('ClickHouse', screen.clickhouseUrl, 'user analyst, password: the API key'),
    row('Data', screen.dataDir, screen.sync === 'os' ? 'acknowledged before it is on disk: a power cut may lose seconds' : ''),
    ...(screen.more ?? []).map(([name, value, note]) => row(name, value, note)),
    row('Project', screen.project.name, `days in ${screen.project.zone}, money in ${screen.project.currency}`),
    '',
    row('Write key', bold(screen.writeKey), 'for SDKs; it only writes'),
    row('API key', screen.apiKey ? bold(screen.apiKey) : soft(`as told when it was made; ${screen.command} -- --new-api-key makes another`), screen.apiKey ? 'shown only now: keep it' : ''),
    '',
    `  ${bold('Send an event')} (paste it into another terminal):`,
    '',
    `  ${curlOf(screen)}`,
    '',
    `  ${bold('Ask in SQL:')}`,
    '',
    `  ${queryOf(screen)}`,
    '',
    '',
  ].join('\n')
}

/** One line, so that it can be copied whole from any terminal. */
const curlOf = ({ url, writeKey }: FirstScreen): string =>
  `curl ${url}/v1/track -u ${writeKey}: -d '{"anonymousId":"browser-1","event":"Product Viewed","properties":{"name":"明前龙井","price":168}}'`

const queryOf = ({ clickhouseUrl, apiKey }: FirstScreen): string =>
  `curl ${clickhouseUrl} -u analyst:${apiKey ?? 'API_KEY'} -d 'SELECT event, count() FROM millrace.events GROUP BY event FORMAT PrettyCompact'`
