/** One rule of EMQX's built-in authorization database. Rules are tried in order; the first that fits decides. */
export interface AuthzRule {
    readonly topic: string;
    readonly permission: "allow" | "deny";
    readonly action: "publish" | "subscribe" | "all";
}

/** The topics on which a cluster's links talk to a peer. */
export function linkTopics(cluster: string): { readonly routes: string; readonly messages: string; readonly answers: string } {
    return {
        routes: `$LINK/cluster/route/${cluster}`,
        messages: `$LINK/cluster/msg/${cluster}`,
        answers: `$LINK/cluster/resp/${cluster}/+`,
    };
}

/**
 * The rules for the user as which the links of `cluster` log in at a peer: its own link topics, and nothing else.
 *
 * @param cluster `cluster.name` of the cluster that logs in
 */
export function linkAclRules(cluster: string): AuthzRule[] {
    const { routes, messages, answers } = linkTopics(cluster);
    return [
        { topic: routes, permission: "allow", action: "publish" },
        { topic: messages, permission: "allow", action: "publish" },
        { topic: answers, permission: "allow", action: "subscribe" },
        // A wildcard at the beginning does not match topics that begin with "$", so both are needed.
        { topic: "$LINK/#", permission: "deny", action: "all" },
        { topic: "#", permission: "deny", action: "all" },
    ];
}
