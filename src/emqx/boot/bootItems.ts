/**
 * What a broker fetches from its cloud's secret store at boot, one item each, and certificates and licence every ten minutes. No item
 * stands in user data. The certificates are among them because a renewed one must reach the brokers without replacing a machine.
 */
export const bootItemNames = [
    /** `node.cookie`: the same on all nodes of a cluster. */
    "cookie",
    /** Password of EMQX's dashboard user `admin`. */
    "dashboard-password",
    /** EMQX's `api_key.bootstrap_file`: `key:secret:role` lines. */
    "api-keys",
    /** EMQX's users' bootstrap file: CSV with the header `user_id,password,is_superuser`. */
    "users",
    /** EMQX's licence: `default` (community), `evaluation` or a key. */
    "license",
    /** PEM of the mesh's authority. */
    "ca",
    /** PEM certificate and key of the client and management doors. */
    "server-cert",
    "server-key",
    /** PEM certificate and key of the link door. */
    "link-cert",
    "link-key",
] as const;
export type BootItemName = (typeof bootItemNames)[number];

/** Where the boot script puts what EMQX reads. */
export const bootPaths = {
    /** EMQX's data, on the data disk. */
    data: "/var/lib/emqx",
    nodeConfig: "/etc/emqx/emqx.conf",
    acl: "/etc/linkspan/acl.conf",
    apiKeys: "/run/linkspan/secrets/api-keys",
    users: "/run/linkspan/secrets/users",
    /** Environment of EMQX: cookie, dashboard password, licence. */
    environment: "/run/linkspan/emqx.env",
    /** Certificates and keys, `<item>.pem`; a link to a folder, so that all of them change at once. */
    tls: "/run/linkspan/tls",
} as const;

/** File of a certificate, a key or the authority. */
export function tlsPath(item: Extract<BootItemName, "ca" | `${string}-cert` | `${string}-key`>): string {
    return `${bootPaths.tls}/${item}.pem`;
}
