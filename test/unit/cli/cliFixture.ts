import type { CliIo } from "../../../src/cli/output.js";

/** Every secret of the fixture: none of them may ever be printed. */
export const secrets = ["api-S3cret-aws", "api-S3cret-gcp", "mqtt-S3cret", "link-S3cret", "-----BEGIN PRIVATE KEY-----"];

const secretEnvelope = (value: unknown) => ({
    "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
    plaintext: JSON.stringify(value),
});

export interface FixtureSite {
    readonly site: string;
    readonly api: string;
    readonly mqttPort: number;
    readonly folder?: string;
    /** How both doors are reached. */
    readonly way?: object;
}

export interface FixtureOptions {
    readonly sites: readonly FixtureSite[];
    /** `[on, from]`: the link on one site that receives from the other. Default: all. */
    readonly links?: readonly (readonly [string, string])[];
    readonly results?: readonly object[];
    readonly ca?: string;
    readonly probes?: boolean;
    readonly timeoutSeconds?: number;
    readonly prefix?: (site: string) => string;
}

/** What `pulumi stack export --show-secrets` prints for a mesh. */
export function exportedStack(options: FixtureOptions): string {
    const { sites, results = [], ca, timeoutSeconds = 2, prefix = (site) => `m-${site}-` } = options;
    const apiOf = ({ site, api, way }: FixtureSite) =>
        secretEnvelope({
            url: api,
            key: `key-${site}`,
            secret: `api-S3cret-${site}`,
            ...(ca === undefined ? {} : { ca }),
            ...way,
        });
    const mqttOf = ({ mqttPort, way }: FixtureSite) =>
        secretEnvelope({ host: "127.0.0.1", port: mqttPort, tls: false, username: "probe", password: "mqtt-S3cret", ...way });
    const pairs = sites.flatMap((a, index) => sites.slice(index + 1).map((b) => [a, b] as const));
    const links = options.links ?? pairs.flatMap(([a, b]) => [[a.site, b.site] as const, [b.site, a.site] as const]);
    const find = (name: string) => {
        const found = sites.find(({ site }) => site === name);
        if (found === undefined) {
            throw new Error(`no site ${name}`);
        }
        return found;
    };
    const resource = (kind: string, name: string, values: object) => ({
        urn: `urn:pulumi:dev::demo::pulumi-nodejs:dynamic/linkspan:${kind}::${name}`,
        custom: true,
        id: name,
        type: `pulumi-nodejs:dynamic/linkspan:${kind}`,
        inputs: { ...values, __provider: "text" },
        outputs: { ...values, __provider: "text" },
    });
    const resources = [
        { urn: "urn:pulumi:dev::demo::pulumi:pulumi:Stack::demo-dev", custom: false, type: "pulumi:pulumi:Stack" },
        ...sites
            .filter(({ folder }) => folder !== undefined)
            .map(({ site, folder }) =>
                resource("LocalBroker", site, {
                    siteName: site,
                    clusterName: `m-${site}`,
                    stateDir: "relative",
                    folder,
                    tls: secretEnvelope({ linkKey: secrets[4] }),
                }),
            ),
        ...links.map(([on, from]) =>
            resource("ClusterLink", `${on}-from-${from}`, {
                api: apiOf(find(on)),
                localCluster: `m-${on}`,
                name: `m-${from}`,
                server: `${from}.link.m.internal:8884`,
                clientIdPrefix: prefix(on),
                username: `link-m-${on}`,
                password: secretEnvelope("link-S3cret"),
                topics: ["fleet/#"],
                enable: true,
                tls: secretEnvelope({ enable: true, verify: "verify_peer", key: secrets[4] }),
            }),
        ),
        ...(options.probes === false
            ? []
            : pairs.map(([a, b]) =>
                  resource("DeliveryProbe", `${a.site}-${b.site}`, {
                      pair: `${a.site}-${b.site}`,
                      a: secretEnvelope({ site: a.site, clusterName: `m-${a.site}`, mqtt: mqttOf(a), api: apiOf(a) }),
                      b: { site: b.site, clusterName: `m-${b.site}`, mqtt: mqttOf(b), api: apiOf(b) },
                      directions: [
                          { from: a.site, to: b.site, topics: ["fleet/#"] },
                          { from: b.site, to: a.site, topics: ["fleet/#"] },
                      ],
                      count: 20,
                      rate: 1_000,
                      timeoutSeconds,
                      results,
                  }),
              )),
    ];
    return JSON.stringify({ version: 3, deployment: { manifest: {}, resources } });
}

/** An output that is kept. */
export function keptIo(more: Partial<CliIo> = {}): CliIo & { readonly printed: { out: string; err: string } } {
    const printed = { out: "", err: "" };
    return {
        printed,
        out: (text) => {
            printed.out += text;
        },
        err: (text) => {
            printed.err += text;
        },
        env: {},
        cwd: process.cwd(),
        now: () => new Date("2027-03-04T05:06:07.000Z"),
        color: false,
        signal: new AbortController().signal,
        ...more,
    };
}

export const twoSites: readonly FixtureSite[] = [
    { site: "aws", api: "https://127.0.0.1:1", mqttPort: 1, folder: "/nowhere/aws" },
    { site: "gcp", api: "https://127.0.0.1:2", mqttPort: 2 },
];
