/** infra/proxy/routes.json: which service answers which path, the first row that fits; `npm run stack` reads it, too. */
export interface RouteTable {
  readonly routes: readonly { readonly path: string; readonly service: string }[]
  /** What a service tells of itself is for Prometheus and health checks, not for the network. */
  readonly inside: readonly string[]
  readonly analysts: { readonly service: string; readonly port: number }
  /** In a container each service has the same port; names tell them apart. */
  readonly port: number
}

/** Names of a service's copies where they are fixed; a service that is not in it has one name, looked up by DNS. */
export type Copies = Readonly<Record<string, readonly string[]>>

/** A connection that is refused is tried at another copy; a request that was sent is not sent twice. */
export const caddyfileOf = ({ routes, inside, analysts, port }: RouteTable, copies: Copies = {}): string => `# Made from routes.json: \`npx vitest run tests/infra -u\` writes it again.
{
	admin off
	auto_https off
	servers {
		timeouts {
			read_header 10s
			idle 2m
		}
		max_header_size 16KB
	}
}

# Events, API and page.
:${port} {
	# In the order written: Caddy would else sort them by its own rules.
	route {
		handle /healthz {
			respond "ok" 200
		}
		@inside path ${inside.join(' ')}
		handle @inside {
			respond 404
		}
${grouped(routes).map(({ paths, service }, at) => `\t\t@${service}-${at} path ${paths.join(' ')}\n\t\thandle @${service}-${at} {\n${reverseProxy(service, port, copies, '\t\t\t')}\t\t}\n`).join('')}	}
}

# ClickHouse's HTTP protocol for analysts: it wants the root path, so a port of its own.
:${analysts.port} {
${reverseProxy(analysts.service, analysts.port, copies, '\t')}}
`

/** Rows of one service that follow each other are one. */
const grouped = (routes: RouteTable['routes']): readonly { readonly service: string; readonly paths: readonly string[] }[] => {
  const groups: { service: string; paths: string[] }[] = []
  for (const { path, service } of routes) {
    const last = groups.at(-1)
    if (last?.service === service) last.paths.push(path)
    else groups.push({ service, paths: [path] })
  }
  return groups
}

const reverseProxy = (service: string, port: number, copies: Copies, indent: string): string =>
  [
    'reverse_proxy {',
    ...upstreams(service, port, copies).map((line) => `\t${line}`),
    '\tlb_policy least_conn',
    '\tlb_try_duration 5s',
    '\tfail_duration 5s',
    '}',
  ].map((line) => `${indent}${line}\n`).join('')

// An address that is looked up again and again: a container that is started anew may have another.
const upstreams = (service: string, port: number, copies: Copies): readonly string[] =>
  copies[service] ? [`to ${copies[service].map((name) => `${name}:${port}`).join(' ')}`] : [`dynamic a ${service} ${port} {`, '\trefresh 5s', '}']
