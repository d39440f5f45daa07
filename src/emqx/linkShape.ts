import type { LinkTls } from "./linkTls.js";
import type { LinkResourceOptions } from "./resourceOptions.js";

/** A cluster link in its one canonical form: checked, defaults filled in, topics sorted, durations in their shortest spelling. */
export interface LinkSpec {
    /** The remote's `cluster.name`. */
    readonly name: string;
    /** `host:port` of the remote's listener. */
    readonly server: string;
    /** Beginning of the client ids of the link's connections; ends in a separator. */
    readonly clientId: string;
    readonly username?: string;
    /** Secret. */
    readonly password?: string;
    /** Filters of what this cluster wants from the remote. */
    readonly topics: readonly string[];
    readonly enable: boolean;
    readonly tls: LinkTls;
    /** Connections per broker node. */
    readonly poolSize: number;
    /** For example `"1s"`. */
    readonly retryInterval: string;
    readonly maxInflight: number;
    readonly resourceOptions: LinkResourceOptions;
}
