import { text } from './files.ts'

/** Files in which a program's settings are named; each name stands once, as a key of a zod schema. */
const filesOf = (program: string): readonly string[] => {
  const service = /^services\/([\w-]+)\//.exec(program)?.[1]
  const own = service ? [`services/${service}/src/config.ts`, 'packages/service-kit/src/service-config.ts'] : [program]
  return [...own, 'packages/wiring/src/stack-config.ts']
}

/** Names of the environment that a program reads. */
export const settingsOf = (program: string): ReadonlySet<string> =>
  new Set(filesOf(program).flatMap((path) => [...text(path).matchAll(/^ +([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*): /gm)].map((match) => match[1]!)))

/** Those of `npm start`, by its table of flags. */
export const upSettings = (): ReadonlySet<string> => new Set([...text('packages/up/README.md').matchAll(/`(MILLRACE_\w+)`/g)].map((match) => match[1]!))
