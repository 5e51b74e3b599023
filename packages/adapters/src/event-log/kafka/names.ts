/** Several Millraces may share one Kafka: each has its own prefix before topics, groups and transactional ids. */
export interface Names {
  toKafka(name: string): string
  fromKafka(name: string): string
}

export const namesWith = (prefix: string): Names => ({
  toKafka: (name) => prefix + name,
  fromKafka: (name) => name.slice(prefix.length),
})
