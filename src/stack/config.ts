import { InputError, quote } from "../errors.js";
import { type Tier, tiers } from "../naming.js";

/** One site as the stack's configuration names it. Which further keys there are depends on the type. */
export interface SiteConfig {
    readonly name: string;
    readonly siteNumber: number;
    readonly type: SiteType;
    /** Everything else, handed to the site's class. */
    readonly args: Readonly<Record<string, unknown>>;
}

/** What a site can be in the ready stack. */
export const siteTypes = ["local", "external", "aws", "gcp", "azure"] as const;
export type SiteType = (typeof siteTypes)[number];

/** The configuration of the ready stack. */
export interface StackConfig {
    readonly sites: readonly SiteConfig[];
    readonly tier: Tier;
    readonly topics: readonly string[];
    readonly maxOutageSeconds: number;
    readonly probeCount: number;
    readonly probeRate: number;
    readonly prove: "change" | "always";
}

/** Raw values as Pulumi holds them, by key without the project's name. */
export type RawConfig = Readonly<Record<string, unknown>>;

/** Keys that a site may have, by type; anything else is a typing error of the user and is refused. */
const cloudKeys = [
    "meshId",
    "cidr",
    "zones",
    "license",
    "broker",
    "adminCidrs",
    "clientCidrs",
    "reach",
    "users",
    "clientNames",
    "tags",
    "network",
    "dns",
];
const siteKeys: Readonly<Record<SiteType, readonly string[]>> = {
    local: ["ports", "stateRoot", "meshId", "level", "bgp"],
    external: ["meshId", "clusterName", "api", "link", "clients", "allowLoopback"],
    aws: ["region", "egress", "kmsKeyId", "permissionsBoundary", ...cloudKeys],
    gcp: ["region", "project", "egressAddressCount", "kmsKey", ...cloudKeys],
    azure: [
        "location",
        "resourceGroupName",
        "diskEncryptionSetId",
        "encryptionAtHost",
        "trustedLaunch",
        "flowLogs",
        ...cloudKeys,
    ],
};

/**
 * Reads the ready stack's configuration.
 *
 * @throws InputError naming the key as `pulumi config set` takes it
 */
export function parseStackConfig(raw: RawConfig): StackConfig {
    const sites = asArray(raw.sites, "sites").map((site, index) => parseSite(site, `sites[${index}]`));
    const tier = asText(raw.tier, "tier");
    if (!(tiers as readonly string[]).includes(tier)) {
        throw new InputError("tier", `${quote(tier)} is no tier; set one of ${tiers.join(", ")}`);
    }
    const prove = asText(raw.prove, "prove");
    if (prove !== "change" && prove !== "always") {
        throw new InputError("prove", `${quote(prove)} is not possible; set change or always`);
    }
    return {
        sites,
        tier: tier as Tier,
        topics: asArray(raw.topics, "topics").map((topic, index) => asText(topic, `topics[${index}]`)),
        maxOutageSeconds: asNumber(raw.maxOutageSeconds, "maxOutageSeconds"),
        probeCount: asNumber(raw.probeCount, "probeCount"),
        probeRate: asNumber(raw.probeRate, "probeRate"),
        prove,
    };
}

function parseSite(value: unknown, key: string): SiteConfig {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
        throw new InputError(key, `${quote(value)} is no site; set name, siteNumber and type`);
    }
    const { name, siteNumber, type: given, ...args } = value as Record<string, unknown>;
    const type = asText(given ?? "local", `${key}.type`);
    if (!(siteTypes as readonly string[]).includes(type)) {
        throw new InputError(`${key}.type`, `${quote(type)} is no type of site; set one of ${siteTypes.join(", ")}`);
    }
    const known = siteKeys[type as SiteType];
    for (const extra of Object.keys(args)) {
        if (!known.includes(extra)) {
            throw new InputError(
                `${key}.${extra}`,
                `a ${type} site has no such setting; it has name, siteNumber, type, ${known.join(", ")}`,
            );
        }
    }
    return {
        name: asText(name, `${key}.name`),
        siteNumber: asNumber(siteNumber, `${key}.siteNumber`),
        type: type as SiteType,
        args,
    };
}

function asText(value: unknown, key: string): string {
    if (typeof value !== "string" || value === "") {
        throw new InputError(
            key,
            `${value === undefined ? "it is missing" : `${quote(value)} is no text`}; set it with: pulumi config set --path 'linkspan:${key}' VALUE`,
        );
    }
    return value;
}

/** Numbers set with `-c key=5` arrive as text. */
function asNumber(value: unknown, key: string): number {
    const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
    if (typeof number !== "number" || !Number.isFinite(number)) {
        throw new InputError(
            key,
            `${value === undefined ? "it is missing" : `${quote(value)} is no number`}; set it with: pulumi config set --path 'linkspan:${key}' VALUE`,
        );
    }
    return number;
}

/** Lists set with `-c key='["a"]'` arrive as JSON text. */
function asArray(value: unknown, key: string): readonly unknown[] {
    if (typeof value === "string") {
        try {
            const parsed: unknown = JSON.parse(value);
            if (Array.isArray(parsed)) {
                return parsed;
            }
        } catch {
            // Not JSON: refused below, with the value.
        }
    }
    if (!Array.isArray(value)) {
        throw new InputError(
            key,
            `${value === undefined ? "it is missing" : `${quote(value)} is no list`}; set it with: pulumi config set --path 'linkspan:${key}[0]' VALUE`,
        );
    }
    return value;
}
