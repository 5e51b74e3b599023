/** One sentence for each thing that the stack of this machine lacks, with how to get it. */
export declare const stackLacks: (cacheFolder: string) => readonly string[]
