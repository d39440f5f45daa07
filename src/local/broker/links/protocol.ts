/** What a cluster publishes to its peer on `$LINK/cluster/route/<own name>`. `incarnation` names one life of the sender. */
export type RouteMessage =
    /** Asks to be accepted; `peer` is what the sender calls the receiver. */
    | { readonly t: "init"; readonly node: string; readonly peer: string }
    /** All routes, in parts; they replace the former ones with the last part. */
    | { readonly t: "all"; readonly add: readonly string[]; readonly last: boolean }
    | { readonly t: "delta"; readonly add: readonly string[]; readonly del: readonly string[] }
    | { readonly t: "ping" }
    /** The sender wants nothing any more. */
    | { readonly t: "bye" };

/** What a peer answers on `$LINK/cluster/resp/<name>/<node>`. */
export type RouteReply =
    | { readonly t: "ok" }
    | { readonly t: "error"; readonly reason: "unknown_cluster" | "bad_remote_cluster_link_name" | "cluster_link_disabled" }
    /** Please introduce yourself again: something changed here. */
    | { readonly t: "resync" };
