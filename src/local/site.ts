import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { BrokerCluster, InterconnectEnd, NameService, PublicEnd, Site, SiteFacts, VpnEnd } from "../contracts/site.js";
import { InputError, quote } from "../errors.js";
import { MeshIdentity } from "../identity/meshIdentity.js";
import { Secrets } from "../identity/secrets.js";
import { failOn } from "../input.js";
import { checkMeshId, checkSiteName, checkSiteNumber, clusterName, defaultMeshId, linkHost } from "../naming.js";
import { localCluster } from "./brokerCluster.js";
import { type LocalDoor, localTiers } from "./door.js";
import { localInterconnectEnd } from "./interconnectEnd.js";
import { LocalBroker } from "./localBroker.js";
import { LocalNetwork } from "./network/localNetwork.js";
import { type LocalBgpArgs, NetworkSite } from "./network/networkSite.js";
import { checkPorts, type LocalPorts } from "./ports.js";
import { localPublicEnd } from "./publicEnd.js";
import { localVpnEnd } from "./vpnEnd.js";

/** A device user of a local site. */
export interface LocalSiteUser {
    /** User name as the device sends it. Not `linkspan-probe`, and not beginning with `link-`: those are Linkspan's own. */
    readonly username: string;
    /** Secret. */
    readonly password: pulumi.Input<string>;
}

/** Arguments of {@link LocalSite}. */
export interface LocalSiteArgs {
    /** 1 to 120, unique in the mesh, never reused. */
    readonly siteNumber: number;
    /**
     * The mesh that the site belongs to. Plain, because names are made of it.
     * @default `<project>-<stack>`
     */
    readonly meshId?: string | undefined;
    /**
     * The authority of the mesh's certificates.
     * @default one made for the mesh id, shared by the sites of the program
     */
    readonly identity?: MeshIdentity | undefined;
    /**
     * Ports on 127.0.0.1, each 1024 to 65535 or 0 for any free one. A chosen port stays the site's for its life.
     * `mqtt` (plain MQTT) is off unless given.
     * @default every listener on a free port
     */
    readonly ports?: Partial<LocalPorts> | undefined;
    /**
     * Folder below which the mesh's local sites keep their files, relative to the Pulumi project or absolute.
     * @default `.linkspan`
     */
    readonly stateRoot?: string | undefined;
    /**
     * Device users.
     * @default one user `device` with a generated password, see {@link LocalSite.device}
     */
    readonly users?: readonly LocalSiteUser[] | undefined;
    /**
     * Seconds for which peers keep the routes of this site when it is silent, 1 to 30. EMQX's are 30; tests shorten it.
     * @default 30
     */
    readonly routeLifeSeconds?: number | undefined;
    /**
     * How real the site's network is, the same for all local sites of a mesh. `process`: brokers on this machine's loopback, joined directly in
     * every tier; runs everywhere. `network`: network namespaces with real address translation and allow-lists, real IPsec (strongSwan) and BGP
     * (BIRD); Linux, without root where the machine allows it. What the machine lacks is said at preview, and nothing is lowered silently.
     * @default "process"
     */
    readonly level?: LocalLevel | undefined;
    /** BGP's timers at level `network`. */
    readonly bgp?: LocalBgpArgs | undefined;
}

/** How real a local site's network is. */
export type LocalLevel = "process" | "network";

/** EMQX version whose REST API the local broker follows. */
const followedVersion = "5.10.3";
const bind = "127.0.0.1";
const apiKey = "linkspan";
const probeUser = "linkspan-probe";

/**
 * A site on this machine: one broker process that Pulumi manages, with the listeners, users, certificates, REST routes and link
 * behaviour of EMQX's documented contract. It stands in for EMQX: what it does not prove is said in the mesh's `notProven`.
 *
 * Creates: generated secrets, a server certificate, a link certificate (both of the mesh's authority) and the broker process with its
 * folder `<stateRoot>/<meshId>/<name>`. Costs nothing but about 100 MB of memory.
 *
 * @example
 * const edge = new LocalSite("edge", { siteNumber: 1 });
 */
export class LocalSite extends pulumi.ComponentResource implements Site {
    readonly facts: SiteFacts;
    readonly cluster: BrokerCluster;
    /** User name and password of the default device user; `undefined` where `users` are given. Secret. */
    readonly device: pulumi.Output<{ readonly username: string; readonly password: string }> | undefined;
    /** Where devices connect: `mqtts://127.0.0.1:<port>`. */
    readonly endpoint: pulumi.Output<string>;
    /** Absolute path of the site's folder, with `broker.log`. */
    readonly folder: pulumi.Output<string>;
    readonly nameService: NameService | undefined;
    private readonly door: LocalDoor;
    private readonly network: NetworkSite | undefined;

    constructor(name: string, args: LocalSiteArgs, opts: pulumi.ComponentResourceOptions = {}) {
        super("linkspan:local:LocalSite", name, {}, opts);
        const given = failOn(this, () => normalize(name, args));
        const child = { parent: this };
        const identity = args.identity ?? MeshIdentity.of(given.meshId);
        const host = linkHost(given.meshId, name);
        const cluster = clusterName(given.meshId, name);

        const secrets = new Secrets(`${name}-secrets`, { names: ["api", "probe", "device", "link"] }, child);
        const server = identity.issue(
            `${name}-server-certificate`,
            { commonName: cluster, dnsNames: ["localhost", cluster], ipAddresses: [bind], usage: ["server"] },
            child,
        );
        const link = identity.issue(
            `${name}-link-certificate`,
            { commonName: host, dnsNames: [host], usage: ["server", "client"] },
            child,
        );
        const users = deviceUsers(args, secrets);
        const stateDir = join(given.stateRoot, given.meshId, name);
        const network =
            given.level === "network"
                ? failOn(this, () => {
                      const parts = {
                          network: LocalNetwork.of(given.meshId, given.stateRoot),
                          namesDir: join(stateDir, "names"),
                      };
                      return { ...parts, site: new NetworkSite(name, args.siteNumber, { ...parts, bgp: args.bgp }) };
                  })
                : undefined;
        const broker = new LocalBroker(
            `${name}-broker`,
            {
                siteName: name,
                clusterName: cluster,
                linkHost: host,
                stateDir,
                namesDir: network?.namesDir ?? join(given.stateRoot, given.meshId, ".names"),
                bind: network?.site.addresses.broker ?? bind,
                ports: given.ports,
                version: followedVersion,
                tls: {
                    ca: identity.caPem,
                    serverCert: server.certPem,
                    serverKey: pulumi.secret(server.keyPem),
                    linkCert: link.certPem,
                    linkKey: pulumi.secret(link.keyPem),
                },
                apiKey,
                apiSecret: secrets.value("api"),
                users,
                routeLifeSeconds: given.routeLifeSeconds,
                ...(network === undefined ? {} : { network: { stateDir: network.site.stateDir, ...network.site.spec } }),
            },
            network === undefined ? child : { ...child, dependsOn: [network.network] },
        );
        network?.site.standsOn([broker]);
        this.network = network?.site;
        this.nameService = network?.site.nameService;

        this.facts = {
            name,
            siteNumber: args.siteNumber,
            platform: "local",
            linkProtocol: "linkspan-local",
            clusterName: cluster,
            meshId: given.meshId,
            version: followedVersion,
            tiers: localTiers,
            level: "process",
            ...network?.site.facts,
            standIn:
                "EMQX itself: the brokers of local sites stand in for it. They follow its REST contract and its links' observable behaviour.",
        };
        this.cluster = localCluster({
            cluster,
            bind,
            apiKey,
            probeUser,
            version: followedVersion,
            broker,
            secrets,
            caPem: identity.caPem,
        });
        this.door = { host, caPem: broker.tls.apply(({ ca }) => ca) };
        this.device =
            args.users === undefined
                ? pulumi.secret(secrets.value("device").apply((password) => ({ username: "device", password })))
                : undefined;
        this.endpoint = this.cluster.clientDoor.apply((door) => `${door.scheme}://${door.host}:${door.port}`);
        this.folder = broker.folder;
        this.registerOutputs({ endpoint: this.endpoint, clusterName: cluster, folder: this.folder });
    }

    publicEnd(): PublicEnd {
        return this.network?.publicEnd(this.door) ?? localPublicEnd(this.door);
    }

    vpnEnd(): VpnEnd {
        return this.network?.vpnEnd(this.door) ?? localVpnEnd(this.door);
    }

    interconnectEnd(): InterconnectEnd {
        return this.network?.interconnectEnd(this.door) ?? localInterconnectEnd(this.door);
    }
}

function normalize(name: string, args: LocalSiteArgs) {
    checkSiteName(name);
    checkSiteNumber(args.siteNumber);
    const meshId = args.meshId ?? args.identity?.meshId ?? defaultMeshId(pulumi.getProject(), pulumi.getStack());
    checkMeshId(meshId);
    if (args.identity !== undefined && args.identity.meshId !== meshId) {
        throw new InputError(
            "identity",
            `it belongs to mesh ${quote(args.identity.meshId)}, the site to ${quote(meshId)}; set the same meshId on both`,
        );
    }
    const { mqtts = 0, links = 0, api = 0, mqtt } = args.ports ?? {};
    const ports: LocalPorts = { mqtts, links, api, ...(mqtt === undefined ? {} : { mqtt }) };
    checkPorts(ports);
    for (const [index, user] of (args.users ?? []).entries()) {
        if (user.username === "" || user.username === probeUser || user.username.startsWith("link-")) {
            throw new InputError(
                `users[${index}].username`,
                `${quote(user.username)} cannot be a device's; set a name that is not empty, not ${quote(probeUser)} and does not begin with "link-"`,
            );
        }
    }
    const level = args.level ?? "process";
    if (level !== "process" && level !== "network") {
        throw new InputError("level", `${quote(args.level)} is no level; set "process" or "network"`);
    }
    if (level === "network" && links !== 0) {
        throw new InputError(
            "ports.links",
            `${links} cannot be had: at level network the link door is 8884 in the site's own network; leave it out`,
        );
    }
    const { holdSeconds, bfdIntervalMs } = args.bgp ?? {};
    if (holdSeconds !== undefined && !(Number.isInteger(holdSeconds) && holdSeconds >= 3 && holdSeconds <= 180)) {
        throw new InputError("bgp.holdSeconds", `${quote(holdSeconds)} is out of range; set 3 to 180 whole seconds`);
    }
    if (bfdIntervalMs !== undefined && bfdIntervalMs !== 0 && !(bfdIntervalMs >= 50 && bfdIntervalMs <= 1_000)) {
        throw new InputError(
            "bgp.bfdIntervalMs",
            `${quote(bfdIntervalMs)} is out of range; set 50 to 1000 milliseconds, or 0 for no BFD`,
        );
    }
    const life = args.routeLifeSeconds;
    if (life !== undefined && !(life >= 1 && life <= 30)) {
        throw new InputError("routeLifeSeconds", `${quote(life)} is out of range; set 1 to 30 seconds`);
    }
    return { meshId, ports, level, stateRoot: args.stateRoot ?? ".linkspan", routeLifeSeconds: life };
}

function deviceUsers(args: LocalSiteArgs, secrets: Secrets): pulumi.Output<{ username: string; password: string }[]> {
    const probe = { username: probeUser, password: secrets.value("probe") };
    const devices = args.users ?? [{ username: "device", password: secrets.value("device") }];
    return pulumi.secret(pulumi.output([probe, ...devices].map(({ username, password }) => ({ username, password }))));
}
