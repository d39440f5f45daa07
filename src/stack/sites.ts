import * as pulumi from "@pulumi/pulumi";
import type { AwsSiteArgs } from "../aws/index.js";
import type { AzureSiteArgs } from "../azure/index.js";
import type { CloudSiteArgs } from "../cluster/args.js";
import type { Site } from "../contracts/site.js";
import type { ExternalSiteArgs } from "../external/index.js";
import type { GcpSiteArgs } from "../gcp/index.js";
import type { LocalSiteArgs } from "../local/index.js";
import type { SiteConfig, SiteType } from "./config.js";

/** How each type of site is made. Each loads its module on first use: a stack without clouds needs no cloud's SDK. */
const makers: Readonly<Record<SiteType, (site: SiteConfig) => Promise<Site>>> = {
    local: async ({ name, siteNumber, args }) => {
        const { LocalSite } = await import("../local/index.js");
        return new LocalSite(name, { siteNumber, ...(args as Omit<LocalSiteArgs, "siteNumber">) });
    },
    external: async ({ name, siteNumber, args }) => {
        const { ExternalSite } = await import("../external/index.js");
        return new ExternalSite(name, { siteNumber, ...withSecrets(numbersAsText(args) as PlainExternalArgs) });
    },
    aws: async ({ name, siteNumber, args }) => {
        const { AwsSite } = await load("aws", "@pulumi/aws", () => import("../aws/index.js"));
        return new AwsSite(name, { siteNumber, ...withCloudSecrets(args as unknown as PlainCloudArgs<AwsSiteArgs>) });
    },
    gcp: async ({ name, siteNumber, args }) => {
        const { GcpSite } = await load("gcp", "@pulumi/gcp", () => import("../gcp/index.js"));
        return new GcpSite(name, { siteNumber, ...withCloudSecrets(args as unknown as PlainCloudArgs<GcpSiteArgs>) });
    },
    azure: async ({ name, siteNumber, args }) => {
        const { AzureSite } = await load("azure", "@pulumi/azure-native", () => import("../azure/index.js"));
        return new AzureSite(name, { siteNumber, ...withCloudSecrets(args as unknown as PlainCloudArgs<AzureSiteArgs>) });
    },
};

/** The SDKs of clouds are not among the package's own dependencies: nobody has to install a cloud that is not used. */
async function load<T>(type: SiteType, sdk: string, module: () => Promise<T>): Promise<T> {
    try {
        return await module();
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "MODULE_NOT_FOUND" && String(error).includes(sdk)) {
            throw new pulumi.RunError(
                `sites of type ${type} need the package ${sdk}, which is not installed: npm install ${sdk}`,
            );
        }
        throw error;
    }
}

/** The arguments of a cloud site as configuration holds them: secrets are decrypted text here. */
type PlainCloudArgs<Args extends CloudSiteArgs> = Omit<Args, "siteNumber" | "license" | "users" | "identity"> & {
    readonly license?: string;
    readonly users?: readonly { readonly username: string; readonly password: string }[];
};

/** The arguments of an existing cluster as configuration holds them: secrets are decrypted text here. */
interface PlainExternalArgs {
    readonly clusterName: string;
    readonly api: { readonly url: string; readonly key: string; readonly secret: string; readonly ca?: string };
    readonly link: {
        readonly server: string;
        readonly tls?: {
            readonly enable: boolean;
            readonly ca?: string;
            readonly serverName?: string;
            readonly clientCertificate?: { cert: string; key: string };
        };
        readonly login?: "managed" | "none" | { readonly username: string; readonly password: string };
    };
    readonly clients: {
        readonly host: string;
        readonly port?: number;
        readonly tls?: boolean;
        readonly ca?: string;
        readonly username?: string;
        readonly password?: string;
    };
    readonly allowLoopback?: boolean;
}

/** Makes one site of the ready stack. */
export function makeSite(site: SiteConfig): Promise<Site> {
    return makers[site.type](site);
}

/** Arguments that are texts even where they look like numbers, which is what `pulumi config set --path` then makes of them. */
const textKeys = new Set(["clusterName", "key", "secret", "username", "password"]);

function numbersAsText(value: unknown): unknown {
    if (Array.isArray(value)) {
        return value.map(numbersAsText);
    }
    if (typeof value !== "object" || value === null) {
        return value;
    }
    const entries = Object.entries(value).map(
        ([key, inner]) => [key, typeof inner === "number" && textKeys.has(key) ? String(inner) : numbersAsText(inner)] as const,
    );
    return Object.fromEntries(entries);
}

/** Marks as secret what is secret in a cloud site's arguments. The two words for licences are no secrets; everything else is a key. */
function withCloudSecrets<Args extends CloudSiteArgs>({
    license,
    users,
    ...rest
}: PlainCloudArgs<Args>): Omit<PlainCloudArgs<Args>, "license" | "users"> & Pick<CloudSiteArgs, "license" | "users"> {
    return {
        ...rest,
        ...(license === undefined
            ? {}
            : { license: license === "community" || license === "evaluation" ? license : pulumi.secret(String(license)) }),
        ...(users === undefined
            ? {}
            : {
                  users: users.map(({ username, password }) => ({
                      username: String(username),
                      password: pulumi.secret(String(password)),
                  })),
              }),
    };
}

/** Marks as secret what is secret, whether or not the user set it with `--secret`. */
function withSecrets({ api, link, clients, ...rest }: PlainExternalArgs): Omit<ExternalSiteArgs, "siteNumber"> {
    const { password, ...door } = clients ?? {};
    const { login, tls, ...address } = link ?? {};
    const { clientCertificate, ...plainTls } = tls ?? { enable: true };
    return {
        ...rest,
        // What is missing stays missing, for the site to say so.
        api: (api?.secret === undefined ? api : { ...api, secret: pulumi.secret(api.secret) }) as ExternalSiteArgs["api"],
        link: {
            ...address,
            tls: {
                ...plainTls,
                ...(clientCertificate === undefined ? {} : { clientCertificate: pulumi.secret(clientCertificate) }),
            },
            ...(login === undefined
                ? {}
                : { login: typeof login === "object" ? { ...login, password: pulumi.secret(login.password) } : login }),
        },
        clients: { ...door, ...(password === undefined ? {} : { password: pulumi.secret(password) }) },
    };
}
