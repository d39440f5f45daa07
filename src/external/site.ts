import * as pulumi from "@pulumi/pulumi";
import { checkPublicAddress } from "../addressing/cidr.js";
import type {
    BrokerCluster,
    EgressAddress,
    InterconnectEnd,
    LinkDoor,
    LinkDoorTls,
    PublicEnd,
    Site,
    SiteFacts,
    VpnEnd,
} from "../contracts/site.js";
import { checkApiUrl, checkDialHost, checkPort } from "../emqx/endpoint.js";
import { checkWay } from "../emqx/proxy.js";
import { checkServerAddress } from "../emqx/serverAddress.js";
import { InputError, quote } from "../errors.js";
import { checked, failOn } from "../input.js";
import { ClusterPreflight } from "../link/clusterPreflight.js";
import { checkMeshId, checkSiteName, checkSiteNumber, defaultMeshId } from "../naming.js";
import type { ExternalSiteArgs } from "./args.js";
import { externalCluster } from "./brokerCluster.js";
import { DeviceFiles } from "./deviceFiles.js";
import { externalPublicEnd } from "./publicEnd.js";
import { checkVpnArgs, type ExternalVpnArgs } from "./vpnArgs.js";
import { type DeviceConfiguration, ExternalDevice, externalVpnEnd, externalVpnFacts } from "./vpnEnd.js";

const notYet = (tier: string) =>
    ({
        supported: false,
        reason: `an existing cluster has no ${tier} end that Linkspan could join; its network is not Linkspan's`,
    }) as const;

const noDevice = {
    supported: false,
    reason: "no VPN device of yours is named before the cluster's network; set vpn with its addresses and ranges",
} as const;

/**
 * An EMQX cluster that exists already: self-hosted, in another account, or EMQX Cloud. Nothing is provisioned. Links and proof are the
 * same as for every other site.
 *
 * Creates: a preflight that reads version, licence and `cluster.name` and refuses with the reason before any link is made, and the
 * secret from which its links' passwords at its peers are derived. Costs nothing.
 *
 * @example
 * const plant = new ExternalSite("plant", {
 *     siteNumber: 7,
 *     clusterName: "emqxcl",
 *     api: { url: "https://emqx.plant.example.com:18084", key: "linkspan", secret: config.requireSecret("plantApiSecret") },
 *     link: { server: "emqx.plant.example.com:8884" },
 *     clients: { host: "emqx.plant.example.com", username: "probe", password: config.requireSecret("plantProbe") },
 * });
 */
export class ExternalSite extends pulumi.ComponentResource implements Site {
    readonly facts: SiteFacts;
    readonly cluster: BrokerCluster;
    /** EMQX's version, as the cluster reports it. */
    readonly version: pulumi.Output<string>;
    private readonly door: LinkDoor;
    private readonly egress: readonly EgressAddress[];
    private readonly vpn: ExternalVpnArgs | undefined;
    private readonly device: ExternalDevice | undefined;

    constructor(name: string, args: ExternalSiteArgs, opts: pulumi.ComponentResourceOptions = {}) {
        super("linkspan:external:ExternalSite", name, {}, opts);
        failOn(this, () => checkPlain(name, args));
        const allowLoopback = args.allowLoopback ?? false;
        const url = checked(this, args.api.url, (value) => checkApiUrl(value, { allowLoopback, argument: "api.url" }));
        const server = checked(this, args.link.server, (value) =>
            checkServerAddress(value, { allowLoopback, argument: "link.server" }),
        );
        const host = checked(this, args.clients.host, (value) =>
            checkDialHost(value, { allowLoopback, argument: "clients.host" }),
        );
        for (const [prefix, { connect, proxy }] of [
            ["api.", args.api],
            ["clients.", args.clients],
        ] as const) {
            failOn(this, () => checkWay({ connect: plainOf(connect), proxy: plainOf(proxy) }, prefix));
        }
        const port = checked(this, args.clients.port, (value) =>
            checkPort(value ?? ((args.clients.tls ?? true) ? 8883 : 1883), "clients.port"),
        );
        const api = pulumi.secret(
            pulumi
                .all([url, args.api.key, args.api.secret, args.api.ca, args.api.serverName, args.api.connect, args.api.proxy])
                .apply(([url, key, secret, ca, serverName, connect, proxy]) => ({
                    url,
                    key,
                    secret,
                    ...(ca === undefined ? {} : { ca }),
                    ...(serverName === undefined ? {} : { serverName }),
                    ...(connect === undefined ? {} : { connect }),
                    ...(proxy === undefined ? {} : { proxy }),
                })),
        );
        const preflight = new ClusterPreflight(
            `${name}-preflight`,
            { api, expectedClusterName: args.clusterName, tls: args.link.tls?.enable ?? true, allowLoopback },
            { parent: this },
        );
        const secured = args.link.tls?.enable ?? true;

        this.facts = {
            name,
            siteNumber: args.siteNumber,
            platform: "external",
            linkProtocol: "emqx",
            clusterName: args.clusterName,
            meshId: args.meshId ?? defaultMeshId(pulumi.getProject(), pulumi.getStack()),
            tiers: {
                nat: { supported: true },
                vpn: args.vpn === undefined ? noDevice : { supported: true },
                interconnect: notYet("interconnect"),
            },
            ...(args.vpn === undefined ? {} : { vpn: externalVpnFacts(name, args.siteNumber, args.vpn) }),
            publicAddresses: publicAddresses(args),
            fixedEgress: (args.link.egressAddresses ?? []).length > 0,
        };
        this.version = preflight.version;
        this.cluster = externalCluster(this, name, args, { api, host, port, preflight });
        const addresses = doorAddresses(args);
        this.door = {
            server,
            ...(addresses.length === 0
                ? {}
                : { leadsTo: addresses.map((address) => ({ key: address, address: pulumi.output(address) })) }),
            // Without a name the link takes the host of `server` where that is one; an address has none.
            tls: pulumi.all([args.link.tls?.ca, args.link.tls?.serverName]).apply(
                ([ca, serverName]): LinkDoorTls =>
                    secured
                        ? {
                              enable: true,
                              ...(ca === undefined ? {} : { ca }),
                              ...(serverName === undefined ? {} : { serverName }),
                          }
                        : { enable: false },
            ),
            clientCertificate:
                args.link.tls?.clientCertificate === undefined ? "none" : { given: args.link.tls.clientCertificate },
        };
        this.egress = (args.link.egressAddresses ?? []).map((address) => ({ key: address, address: pulumi.output(address) }));
        this.vpn = args.vpn;
        this.device =
            args.vpn === undefined || this.facts.vpn === undefined
                ? undefined
                : new ExternalDevice(name, this.facts.vpn, args.vpn);
        this.registerOutputs({ version: this.version, clusterName: args.clusterName });
    }

    publicEnd(): PublicEnd {
        return externalPublicEnd(this.door, this.egress);
    }

    vpnEnd(): VpnEnd {
        if (this.device === undefined || this.vpn === undefined) {
            throw new Error(`${this.facts.name} has no VPN end`);
        }
        return externalVpnEnd(this.door, this.vpn, this.device);
    }

    /**
     * Configuration for the VPN device (`vpn`): strongSwan's `swanctl.conf`, BIRD's or FRR's, and a script that prepares the machine. It
     * matches the peers' halves of all pairs of tier `vpn`. Holds the pre-shared keys: secret. Call it after the Mesh is made.
     *
     * @throws InputError where the site has no device or no pair of that tier
     */
    deviceConfiguration(): pulumi.Output<DeviceConfiguration> {
        if (this.device === undefined) {
            throw new InputError("vpn", `${this.facts.name} names no VPN device; set vpn with its addresses and ranges`);
        }
        return this.device.configuration();
    }

    /**
     * Writes the device's configuration into a folder, for your eyes only, and keeps it up to date. Call it after the Mesh is made.
     *
     * @param folder relative to the Pulumi project or absolute
     * @throws InputError as {@link deviceConfiguration}
     */
    writeDeviceConfiguration(folder: string, opts: pulumi.CustomResourceOptions = {}): DeviceFiles {
        const files = this.deviceConfiguration().apply((configuration) => ({ ...configuration }));
        return new DeviceFiles(`${this.facts.name}-device-files`, { folder, files }, { parent: this, ...opts });
    }

    interconnectEnd(): InterconnectEnd {
        throw new Error(`${this.facts.name} has no interconnect end`);
    }
}

/** The listener's fixed addresses, as far as they are written down. */
function doorAddresses({ link }: ExternalSiteArgs): readonly string[] {
    const host = hostAndPort(link.server)?.host;
    return link.addresses ?? (host !== undefined && isPublic(host) ? [host] : []);
}

/** What the mesh's plan compares between existing clusters. */
function publicAddresses(args: ExternalSiteArgs): NonNullable<SiteFacts["publicAddresses"]> {
    const port = hostAndPort(args.link.server)?.port;
    const fixed = doorAddresses(args);
    const hosts = fixed.length === 0 ? ["0.0.0.0/0"] : fixed;
    return {
        egress: args.link.egressAddresses ?? [],
        doors: port === undefined ? [] : hosts.map((host) => `${host}:${port}`),
    };
}

/** Host and port of a `server` that is plain; it is checked by itself. */
function hostAndPort(server: pulumi.Input<string>): { readonly host: string; readonly port: string } | undefined {
    const found = /^([^:]+)(?::(\d+))?$/.exec(plainOf(server) ?? "");
    return found === null ? undefined : { host: (found[1] ?? "").toLowerCase(), port: found[2] ?? "1883" };
}

/** A private or loopback address is none that a rule for the public way out could name. */
function isPublic(host: string): boolean {
    try {
        checkPublicAddress(host, "link.server");
        return true;
    } catch {
        return false;
    }
}

/** A value where it is plain; an output is checked when it is used. */
function plainOf<T>(value: pulumi.Input<T> | undefined): T | undefined {
    return pulumi.Output.isInstance(value) || value instanceof Promise ? undefined : value;
}

function checkPlain(name: string, args: ExternalSiteArgs): void {
    checkSiteName(name);
    checkSiteNumber(args.siteNumber);
    if (args.meshId !== undefined) {
        checkMeshId(args.meshId);
    }
    checkRequired(args);
    if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,253}$/.test(args.clusterName)) {
        throw new InputError(
            "clusterName",
            `${quote(args.clusterName)} cannot be linked to; EMQX takes 1 to 254 letters, digits, "_" and "-", beginning with a letter or a digit. Set the cluster's cluster.name`,
        );
    }
    for (const list of ["egressAddresses", "addresses"] as const) {
        for (const [index, address] of (args.link[list] ?? []).entries()) {
            checkPublicAddress(address, `link.${list}[${index}]`);
        }
    }
    if (args.link.addresses?.length === 0) {
        throw new InputError("link.addresses", "it is empty; list the addresses of link.server, or leave it out");
    }
    if (args.vpn !== undefined) {
        checkVpnArgs(args.vpn);
    }
    const { login } = args.link;
    if (login !== undefined && typeof login !== "object" && login !== "managed" && login !== "none") {
        throw new InputError(
            "link.login",
            `${quote(login)} is not known; set "managed", "none", or username and password of a user that exists`,
        );
    }
    for (const [argument, value] of [
        ["api.secret", args.api.secret],
        ["clients.password", args.clients.password],
        ["link.login.password", typeof args.link.login === "object" ? args.link.login.password : undefined],
        ["link.tls.clientCertificate", args.link.tls?.clientCertificate],
    ] as const) {
        if (value !== undefined && !pulumi.Output.isInstance(value)) {
            throw new InputError(
                argument,
                "it is given as a plain value and would stand in the program or in state; pass config.requireSecret(...) or pulumi.secret(...)",
            );
        }
    }
}

/** Programs in plain JavaScript and the ready stack's configuration are held to the types by nothing else. */
function checkRequired(args: ExternalSiteArgs): void {
    const { clusterName, api, link, clients }: Partial<ExternalSiteArgs> = args;
    const login = typeof link?.login === "object" ? link.login : undefined;
    for (const [argument, value, example] of [
        ["clusterName", clusterName, "the cluster's cluster.name"],
        ["api.url", api?.url, "https://host:port"],
        ["api.key", api?.key, "the name of an API key with the role administrator"],
        ["api.secret", api?.secret, "the API key's secret"],
        ["link.server", link?.server, "host:port of the listener for links"],
        ["clients.host", clients?.host, "the host that devices connect to"],
        ...(login === undefined
            ? []
            : [["link.login.username", login.username, "the user that peers' links log in as"] as const]),
        ...(login === undefined ? [] : [["link.login.password", login.password, "that user's password"] as const]),
    ] as const) {
        if (value === undefined || value === null) {
            throw new InputError(argument, `it is missing; set ${example}`);
        }
        if (typeof value !== "string" && !pulumi.Output.isInstance(value) && !(value instanceof Promise)) {
            throw new InputError(argument, `it is a ${typeof value} and no text; set ${example}`);
        }
    }
}
