import * as dns from "@pulumi/gcp/dns/index.js";
import * as pulumi from "@pulumi/pulumi";
import { cloudApi, cloudCluster } from "../cluster/brokerCluster.js";
import { cloudFacts } from "../cluster/cloudSite.js";
import { clusterIdentity } from "../cluster/clusterIdentity.js";
import type { MonthlyCost } from "../cluster/monthlyCost.js";
import { createRunningCluster } from "../cluster/runningCluster.js";
import type { BrokerCluster, InterconnectEnd, NameService, PublicEnd, Site, SiteFacts, VpnEnd } from "../contracts/site.js";
import type { PlannedVpnPeer } from "../contracts/vpn.js";
import { failOn } from "../input.js";
import type { GcpSiteArgs } from "./args.js";
import { createBrokers } from "./brokers.js";
import { chooseGcpSite } from "./choices.js";
import { monthlyCosts } from "./costs.js";
import { createDoors, reserveDoorAddress } from "./doors.js";
import { createEgress } from "./egress.js";
import { createFirewall } from "./firewall.js";
import { pinImage, pinPackage } from "./images.js";
import { createNameService } from "./nameService.js";
import { createNetwork } from "./network.js";
import { gcpPublicEnd } from "./publicEnd.js";
import { type GcpScope, place } from "./scope.js";
import { createAccount, createSecretStore } from "./secretStore.js";
import { offeredSize } from "./sizes.js";
import { gcpVpnEnd } from "./vpnEnd.js";

/** Seconds for which devices keep the address of the public name. */
const publicTtlSeconds = 60;

/**
 * A site in one region of Google Cloud: a dedicated EMQX cluster, its network, its way out and its doors.
 *
 * Creates: a custom mode VPC network with one subnetwork (unless `network` brings one), a Cloud Router with a Cloud NAT on reserved
 * addresses, firewall rules, a passthrough load balancer with a fixed address, per node a machine without a public address, its data disk
 * and its reserved private address, a service account without any role in the project, one secret of Secret Manager per boot item, a
 * private zone of Cloud DNS, and the cluster's generated secrets and certificates.
 *
 * With the first pair of tier `vpn` comes the private link door: an internal passthrough load balancer on the same machines, at a reserved
 * address of the subnetwork. With the first tunnels come an HA VPN gateway and a Cloud Router of its own, which announces the site's range and
 * nothing else and takes from each peer that peer's ranges alone. Two GCP sites are peered by Google without tunnels, unless the pair sets
 * `vpn.encrypt`.
 *
 * The project needs the APIs compute, dns, iam and secretmanager (`<name>.googleapis.com`).
 *
 * Monthly fixed cost of one node by default, in us-central1: 88.47 USD, of which the machine is 65.55 (published comparison of list prices,
 * 2026-03-15), the forwarding rule 18.25 (infracost, 2026-08-21), the NAT and its address 4.67 (Google's price page, 2026-11-23). Disks,
 * the zone and the secrets are not in it: `monthlyCosts` says what is known. The private link door is one more forwarding rule, and each
 * tunnel 36.50 (infracost, 2026-08-21). Traffic comes on top.
 *
 * Machines: `c4a-standard-2` (arm64) in asia-southeast1, europe-west1, europe-west4, us-central1, us-east1 and us-east4; elsewhere
 * `n2-standard-2` (x86_64). Both have 2 virtual processors and 8 GiB.
 *
 * @example
 * const gcp = new GcpSite("gcp", { siteNumber: 2, region: "europe-west4", adminCidrs: ["203.0.113.7/32"] });
 */
export class GcpSite extends pulumi.ComponentResource implements Site {
    readonly facts: SiteFacts;
    readonly cluster: BrokerCluster;
    readonly nameService: NameService;
    /** User name and password of the default device user; `undefined` where `users` are given. Secret. */
    readonly device: pulumi.Output<{ readonly username: string; readonly password: string }> | undefined;
    /** Where devices connect: `mqtts://<host>:8883`. */
    readonly endpoint: pulumi.Output<string>;
    /** Fixed public addresses of the doors: what names of your own must lead to. */
    readonly clientAddresses: pulumi.Output<string[]>;
    /** Fixed addresses that the brokers come from: what others must let in. */
    readonly egressAddresses: pulumi.Output<string[]>;
    private readonly end: PublicEnd;
    private readonly makeVpnEnd: () => VpnEnd;
    private readonly costsOf: (vpnPeers: readonly PlannedVpnPeer[] | undefined) => readonly MonthlyCost[];
    private vpn: { readonly end: VpnEnd; readonly peers: readonly PlannedVpnPeer[] } | undefined;

    constructor(name: string, args: GcpSiteArgs, opts: pulumi.ComponentResourceOptions = {}) {
        super("linkspan:gcp:GcpSite", name, {}, opts);
        const choices = failOn(this, () => chooseGcpSite(name, args));
        const { plan, reach, clientNames } = choices;
        for (const warning of plan.warnings) {
            void pulumi.log.warn(warning, this);
        }
        const scope: GcpScope = {
            parent: this,
            plan,
            region: choices.region,
            project: args.project,
            labels: choices.labels,
            kmsKey: args.kmsKey,
        };

        const network = createNetwork(scope, args.network);
        const egress = createEgress(scope, choices.egressKeys, network);
        const { address } = reserveDoorAddress(scope);
        const identity = clusterIdentity(this, {
            plan,
            identity: choices.identity(),
            doorAddresses: [address],
            clientNames,
            license: args.license,
            users: args.users,
        });
        const account = createAccount(scope);
        const secretStore = createSecretStore(scope, account, identity.bootItems);
        const firewall = createFirewall(scope, network, account.email);
        const doors = createDoors(scope, network, address);
        const reached = [...doors.ready, ...firewall.doors, ...egress.ready];
        const api = cloudApi({ plan, reach, doors, identity });
        const brokers = createBrokers(scope, {
            network,
            account,
            doors,
            image: pinImage(scope, args.broker?.imageId),
            size: offeredSize(scope),
            package: pinPackage(scope),
            store: secretStore.store,
            api,
            boot: [...egress.ready, ...secretStore.ready, ...firewall.boot],
            reached,
        });
        publicName(scope, args.dns, address);
        const running = createRunningCluster(this, {
            plan,
            identity,
            api,
            license: args.license,
            memberships: brokers.memberships,
            reached,
        });

        this.facts = cloudFacts(plan, "gcp", choices.cidr, choices.vpn);
        this.cluster = cloudCluster({
            plan,
            identity,
            reach,
            doors,
            clientNames,
            incarnation: brokers.incarnation,
            ready: [...brokers.memberships, ...running, ...reached],
        });
        this.nameService = createNameService(scope, network);
        this.end = gcpPublicEnd({
            site: name,
            linkHost: plan.linkHost,
            caPem: identity.caPem,
            address,
            egress: egress.addresses,
            firewall,
        });
        this.makeVpnEnd = () => gcpVpnEnd(scope, choices.vpn, { network, doors, firewall, caPem: identity.caPem });
        this.device = identity.device;
        this.endpoint = this.cluster.clientDoor.apply(({ scheme, host, port }) => `${scheme}://${host}:${port}`);
        this.clientAddresses = pulumi.all([...doors.addresses]);
        this.egressAddresses = pulumi.all(egress.addresses.map((one) => one.address));
        this.costsOf = (peers) => monthlyCosts(choices, peers);
        this.registerOutputs({
            endpoint: this.endpoint,
            clusterName: plan.clusterName,
            clientAddresses: this.clientAddresses,
            egressAddresses: this.egressAddresses,
        });
    }

    /**
     * What the site costs in a month before anything is sent, row by row. The private link door of tier `vpn` is among it once the Mesh is
     * made; tunnels are the pairs' and stand in the mesh's output.
     */
    get monthlyCosts(): readonly MonthlyCost[] {
        return this.costsOf(this.vpn?.peers);
    }

    publicEnd(): PublicEnd {
        return this.end;
    }

    vpnEnd(peers: readonly PlannedVpnPeer[]): VpnEnd {
        this.vpn ??= { end: this.makeVpnEnd(), peers };
        return this.vpn.end;
    }

    interconnectEnd(): InterconnectEnd {
        throw new Error(`${this.facts.name} has no interconnect end`);
    }
}

/** Leads a public name to the doors' address. */
function publicName(scope: GcpScope, given: GcpSiteArgs["dns"], address: pulumi.Output<string>): void {
    if (given === undefined) {
        return;
    }
    new dns.RecordSet(
        place(scope, "public-name").name,
        {
            project: scope.project,
            managedZone: given.zone,
            name: `${given.name}.`,
            type: "A",
            ttl: publicTtlSeconds,
            rrdatas: [address],
        },
        { parent: scope.parent },
    );
}
