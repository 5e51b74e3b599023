/** Why no Kafka can be started here, or null. */
export declare const kafkaMissing: () => string | null
/** The folder of the jars, fetched and checked. */
export declare const kafkaJars: (cacheFolder: string) => Promise<string>
