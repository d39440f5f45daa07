/** A file that a broker installs EMQX from. A file with another SHA-256 is not installed. */
export interface BootPackage {
    /** `https://…deb`. */
    readonly url: string;
    /** SHA-256 of the file, 64 hexadecimal digits. */
    readonly sha256: string;
}

/** How a broker reads its items from its cloud's secret store. */
export interface BootSecretStore {
    /**
     * Bash text that defines the function `fetch_item NAME`: prints one item to stdout, fails where it cannot. It may use curl, python3,
     * openssl and the variables of `settings`. Retries, back-off and file modes are not its business.
     */
    readonly script: string;
    /** Shell variables of the script; the names in upper case. Nothing secret. */
    readonly settings: Readonly<Record<string, string>>;
}

/** What a broker machine's boot data is made from: its own site and nothing else, so that peers come and go without touching it. */
export interface BootInput {
    /** `cluster.name` of EMQX. */
    readonly clusterName: string;
    /** `node.name` of EMQX, such as `emqx@10.1.0.4`. */
    readonly nodeName: string;
    /** Node names that a booting node looks for. */
    readonly seeds: readonly string[];
    /** EMQX release, such as `5.10.3`. */
    readonly version: string;
    /** Messages that one durable session may queue. */
    readonly sessionQueueMessages: number;
    readonly package: BootPackage;
    /** Device paths of the data disk, in the order of preference: links by-id, which no renaming moves. */
    readonly dataDisk: { readonly hints: readonly string[] };
    readonly secretStore: BootSecretStore;
}

/** User data for cloud-init: begins with `#cloud-config`, holds no secret. The same input gives the same bytes. */
export function renderUserData(input: BootInput): string {
    return `#cloud-config\n${JSON.stringify({ hostname: input.nodeName })}\n`;
}
