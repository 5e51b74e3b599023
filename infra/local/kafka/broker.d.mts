export interface KafkaBrokerOptions {
  /** Where the jars are kept; they are fetched once. */
  readonly cacheFolder: string
  /** Data, configuration and `broker.log`; started again on it, a broker has all that it had. */
  readonly folder: string
  /** Default: a free one. */
  readonly port?: number
  /** Default: a free one. */
  readonly controllerPort?: number
  /** Heap. Default 512. */
  readonly memoryMb?: number
  /** How often the broker looks for transactions over their time. Default 1,000 (Kafka's own: 10,000). */
  readonly cleanupIntervalMs?: number
  /** As one of several brokers: its number from 1 on, and the controllers' ports of all. Default: one by itself. */
  readonly cluster?: { readonly nodeId: number; readonly controllerPorts: readonly number[] }
  /** Kafka's own settings, over ours. */
  readonly properties?: Readonly<Record<string, string | number | boolean>>
  /** Further arguments for the formatting of its folder, such as users. */
  readonly formatArgs?: readonly string[]
}

export interface KafkaBroker {
  readonly brokers: readonly string[]
  readonly folder: string
  processId(): number | null
  /** Starts it again after `kill`, on the same folder and port. Nothing when it runs. */
  start(): Promise<void>
  /** `kill -9`. */
  kill(): Promise<void>
  /** SIGTERM, and SIGKILL when that takes too long. The folder stays. */
  stop(): Promise<void>
}

/** Kafka's own settings of a broker. */
export declare const serverProperties: (broker: {
  readonly folder: string
  readonly port: number
  readonly controllerPort: number
  readonly cleanupIntervalMs: number
  readonly nodeId: number
  readonly controllerPorts: readonly number[]
}) => Readonly<Record<string, string | number | boolean>>

/** Makes the folder ready, and tells the command that runs the broker. */
export declare const planKafkaBroker: (options: KafkaBrokerOptions) => Promise<{ readonly command: string; readonly args: readonly string[]; readonly port: number }>

/** Resolves when the broker listens. */
export declare const startKafkaBroker: (options: KafkaBrokerOptions) => Promise<KafkaBroker>
