import * as pulumi from "@pulumi/pulumi";
import { cloudApi, cloudCluster } from "../cluster/brokerCluster.js";
import { cloudFacts } from "../cluster/cloudSite.js";
import { clusterIdentity } from "../cluster/clusterIdentity.js";
import type { MonthlyCost } from "../cluster/monthlyCost.js";
import { createRunningCluster } from "../cluster/runningCluster.js";
import type { BrokerCluster, InterconnectEnd, NameService, PublicEnd, Site, SiteFacts, VpnEnd } from "../contracts/site.js";
import type { PlannedVpnPeer } from "../contracts/vpn.js";
import { failOn } from "../input.js";
import type { AwsSiteArgs } from "./args.js";
import { createBrokers } from "./brokers.js";
import { chooseAwsSite } from "./choices.js";
import { monthlyCosts } from "./costs.js";
import { createDoors, reserveDoorAddresses } from "./doors.js";
import { createEgress, sayElasticIps } from "./egress.js";
import { createFirewall } from "./firewall.js";
import { pinImage, pinPackage } from "./images.js";
import { createNameService } from "./nameService.js";
import { createNetwork } from "./network.js";
import { awsPublicEnd } from "./publicEnd.js";
import type { AwsScope } from "./scope.js";
import { createSecretStore } from "./secretStore.js";
import { awsVpnEnd } from "./vpnEnd.js";

/**
 * A site on AWS: a dedicated EMQX cluster on EC2, in a VPC of its own or in one of yours, behind a network load balancer with fixed
 * addresses.
 *
 * Creates, z zones and n nodes:
 * - network: VPC, closed default security group, flow logs (log group, role), internet gateway, for each zone a public and a brokers'
 *   subnet with routes; none of these with `network`
 * - egress: one NAT gateway with an Elastic IP, or one for each zone
 * - doors: z Elastic IPs, a network load balancer with three listeners (8883 devices, 8884 peers' links, 18084 management) and target groups
 * - firewall: two security groups with one resource for each rule. Brokers may go to their own cluster, to peers' link doors, and on ports 443
 *   and 80 anywhere: packages of EMQX and Ubuntu and AWS's APIs have no addresses that could be listed
 * - brokers: n instances (Ubuntu 24.04, m7g.large; no public address, no login, metadata service version 2), each with a network interface
 *   that keeps its address and an encrypted disk that outlives it; they are made, changed and removed one at a time
 * - identity: secrets, certificates, ten encrypted parameters of Systems Manager, a role that may read these and nothing else
 * - names: the private zone `link.<mesh>.internal`, and one record of a public zone with `dns`
 * - with the first pair of tier `vpn`: a second, internal load balancer for links, with a security group. With the first such pair in another
 *   cloud or on a device: a transit gateway with an attachment in z subnets and two route tables, or a virtual private gateway (`vpn`); then for
 *   each pair a customer gateway and a VPN connection for each of the peer's addresses, and routes to the peer's ranges. AWS sites among
 *   themselves are joined by VPC peering, without any of these
 *
 * The default type m7g.large (arm64) is not in every region: set `broker.size`, such as `t4g.large` or `m7i.large`, where it is missing.
 *
 * Costs in us-east-1, before anything is sent: 123.45 USD a month with one node and 242.58 USD with three, in three zones with one NAT
 * gateway (machines 59.57 USD each, 2026-06-17; NAT gateway 32.85 USD, 2024-09; load balancer 16.43 USD, 2026-08-21; 4 addresses 14.60 USD,
 * 2024-02-01), and the disks and the private zone, for which no dated price is at hand. `monthlyCosts` has the rows with their sources. Tier
 * `vpn` adds the second load balancer (16.43 USD) and attachments of the transit gateway: 36.50 USD for the network and for each VPN connection
 * (2026-08-21).
 *
 * The provider wants a region of its own too (`aws:region`), even though every resource names the site's.
 *
 * @example
 * const aws = new AwsSite("aws", { siteNumber: 1, region: "eu-central-1", adminCidrs: ["203.0.113.7/32"] });
 */
export class AwsSite extends pulumi.ComponentResource implements Site {
    readonly facts: SiteFacts;
    readonly cluster: BrokerCluster;
    readonly nameService: NameService;
    /** User name and password of the default device user; `undefined` where `users` are given. Secret. */
    readonly device: pulumi.Output<{ readonly username: string; readonly password: string }> | undefined;
    /** Where devices connect: `mqtts://host:port`. */
    readonly endpoint: pulumi.Output<string>;
    /** Fixed public addresses of the client door, one for each zone: point names of your own at them. */
    readonly clientAddresses: pulumi.Output<string[]>;
    /** Fixed public addresses that the brokers come from. */
    readonly egressAddresses: pulumi.Output<string[]>;
    private readonly end: PublicEnd;
    private readonly makeVpnEnd: (peers: readonly PlannedVpnPeer[]) => VpnEnd;
    private readonly costsOf: (vpnPeers: readonly PlannedVpnPeer[] | undefined) => readonly MonthlyCost[];
    private vpn: { readonly end: VpnEnd; readonly peers: readonly PlannedVpnPeer[] } | undefined;

    constructor(name: string, args: AwsSiteArgs, opts: pulumi.ComponentResourceOptions = {}) {
        super("linkspan:aws:AwsSite", name, {}, opts);
        const choices = failOn(this, () => chooseAwsSite(name, args));
        const { plan, reach, clientNames } = choices;
        for (const warning of plan.warnings) {
            void pulumi.log.warn(warning, this);
        }
        const { region, tags } = choices;
        const { license, users, kmsKeyId, permissionsBoundary } = args;
        const scope: AwsScope = { parent: this, plan, region, tags, kmsKeyId, permissionsBoundary };
        sayElasticIps(scope, choices);

        const network = createNetwork(scope, choices);
        const egress = createEgress(scope, choices, network);
        const addresses = reserveDoorAddresses(scope, network);
        const identity = clusterIdentity(this, {
            plan,
            identity: choices.identity(),
            doorAddresses: addresses.map(({ address }) => address),
            clientNames,
            license,
            users,
        });
        const secretStore = createSecretStore(scope, args, identity.bootItems);
        const firewall = createFirewall(scope, choices, network);
        const doors = createDoors(scope, { network, firewall, addresses, dns: args.dns });
        const brokers = createBrokers(scope, choices, {
            network,
            egress,
            firewall,
            doors,
            identity,
            secretStore,
            image: pinImage(scope, args),
            package: pinPackage(scope),
        });
        const reached = [...doors.ready, ...firewall.ready];
        const running = createRunningCluster(this, {
            plan,
            identity,
            api: cloudApi({ plan, reach, doors, identity }),
            license,
            memberships: brokers.memberships,
            reached,
        });

        this.facts = cloudFacts(plan, "aws", choices.cidr, choices.vpn.support);
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
        this.end = awsPublicEnd(scope, { egress, firewall, doors, addresses, caPem: identity.caPem });
        const vpnParts = { network, firewall, machines: brokers.machines, caPem: identity.caPem };
        this.makeVpnEnd = (peers) => awsVpnEnd(scope, choices, vpnParts, peers);
        this.device = identity.device;
        this.endpoint = this.cluster.clientDoor.apply((door) => `${door.scheme}://${door.host}:${door.port}`);
        this.clientAddresses = pulumi.all([...doors.addresses]);
        this.egressAddresses = pulumi.all(egress.addresses.map(({ address }) => address));
        this.costsOf = (peers) => monthlyCosts(choices, peers);
        this.registerOutputs({
            endpoint: this.endpoint,
            clusterName: plan.clusterName,
            clientAddresses: this.clientAddresses,
            egressAddresses: this.egressAddresses,
        });
    }

    /**
     * What the site costs in a month before anything is sent, row by row. The gateway of tier `vpn` is among it once the Mesh is made; VPN
     * connections and tunnels are the pairs' and stand in the mesh's output.
     */
    get monthlyCosts(): readonly MonthlyCost[] {
        return this.costsOf(this.vpn?.peers);
    }

    publicEnd(): PublicEnd {
        return this.end;
    }

    vpnEnd(peers: readonly PlannedVpnPeer[]): VpnEnd {
        this.vpn ??= { end: this.makeVpnEnd(peers), peers };
        return this.vpn.end;
    }

    interconnectEnd(): InterconnectEnd {
        throw new Error(`${this.facts.name} has no interconnect end`);
    }
}
