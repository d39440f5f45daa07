import * as pulumi from "@pulumi/pulumi";
import { cloudApi, cloudCluster } from "../cluster/brokerCluster.js";
import { cloudFacts } from "../cluster/cloudSite.js";
import { clusterIdentity } from "../cluster/clusterIdentity.js";
import type { MonthlyCost } from "../cluster/monthlyCost.js";
import { createRunningCluster } from "../cluster/runningCluster.js";
import type { BrokerCluster, InterconnectEnd, NameService, PublicEnd, Site, SiteFacts, VpnEnd } from "../contracts/site.js";
import type { PlannedVpnPeer } from "../contracts/vpn.js";
import { failOn } from "../input.js";
import type { AzureSiteArgs } from "./args.js";
import { createBrokers } from "./brokers.js";
import { chooseAzureSite } from "./choices.js";
import { monthlyCosts } from "./costs.js";
import { createDoors, createPublicName, reserveDoorAddress } from "./doors.js";
import { createEgress } from "./egress.js";
import { createFirewall } from "./firewall.js";
import { createFlowLogs } from "./flowLogs.js";
import { pinImage, pinPackage } from "./images.js";
import { createNameService } from "./nameService.js";
import { globalNames } from "./names.js";
import { createNetwork } from "./network.js";
import { azurePublicEnd } from "./publicEnd.js";
import { createScope } from "./scope.js";
import { createSecretStore } from "./secretStore.js";
import { azureVpnEnd } from "./vpnEnd.js";

/**
 * A site in one region of Azure: a dedicated EMQX cluster, its network, its way out and its doors.
 *
 * Creates: a resource group (unless `resourceGroupName` names one), a virtual network with one subnet (unless `network` brings one), a
 * network security group with one resource per rule, a NAT gateway and a Standard load balancer with a fixed address each, per node a
 * machine without a public address and without any login, its network interface and its data disk, a user-assigned identity that reads one
 * key vault, that vault with one secret per boot item, a private DNS zone, flow logs with a storage account, and the cluster's generated
 * secrets and certificates.
 *
 * With a pair of tier `vpn`, also: a second load balancer for links on a fixed private address, and, where the peer is in another cloud,
 * `GatewaySubnet`, two addresses and a VPN gateway over all zones (45 minutes or more, 160.60 USD a month with its addresses), for each tunnel a
 * local network gateway and a connection; two sites of Azure have their virtual networks peered instead.
 *
 * Whoever runs Pulumi needs the roles Contributor and Role Based Access Control Administrator on the resource group, no role in the vault.
 * The subscription needs the resource providers Microsoft.Compute, .Network, .KeyVault, .ManagedIdentity, .Storage and .Insights.
 *
 * Monthly fixed cost of one node by default: 93.65 USD, of which the machine is 51.10 (half of the next larger size's retail price in
 * westus3, 2026-09), the NAT gateway 32.85 (infracost, 2026-08-21), two addresses 7.30 and the system disk 2.40 (retail prices in eastus,
 * 2026-10-16). The load balancer, the data disk and the rest are not in it: `monthlyCosts` says what is known. Traffic comes on top.
 *
 * Machines: `Standard_D2ps_v6` (arm64) by default, `Standard_D2s_v5` with `broker.architecture: "x86_64"` where a region lacks it. Both
 * have 2 virtual processors and 8 GiB. Image: the newest Ubuntu 24.04 that this version of Linkspan knows; `broker.imageId` takes
 * `publisher:offer:sku:version`, or the id of an image or a gallery's image version.
 *
 * @example
 * const azure = new AzureSite("azure", { siteNumber: 3, location: "westeurope", adminCidrs: ["203.0.113.7/32"] });
 */
export class AzureSite extends pulumi.ComponentResource implements Site {
    readonly facts: SiteFacts;
    readonly cluster: BrokerCluster;
    readonly nameService: NameService;
    /** User name and password of the default device user; `undefined` where `users` are given. Secret. */
    readonly device: pulumi.Output<{ readonly username: string; readonly password: string }> | undefined;
    /** Where devices connect: `mqtts://<host>:8883`. */
    readonly endpoint: pulumi.Output<string>;
    /** Fixed public address of the doors: what names of your own must lead to. */
    readonly clientAddresses: pulumi.Output<string[]>;
    /** Fixed addresses that the brokers come from: what others must let in. */
    readonly egressAddresses: pulumi.Output<string[]>;
    private readonly end: PublicEnd;
    private readonly makeVpnEnd: (peers: readonly PlannedVpnPeer[]) => VpnEnd;
    private readonly costsOf: (vpnPeers: readonly PlannedVpnPeer[] | undefined) => readonly MonthlyCost[];
    private vpn: { readonly end: VpnEnd; readonly peers: readonly PlannedVpnPeer[] } | undefined;

    constructor(name: string, args: AzureSiteArgs, opts: pulumi.ComponentResourceOptions = {}) {
        super("linkspan:azure:AzureSite", name, {}, opts);
        const choices = failOn(this, () => chooseAzureSite(name, args));
        const { plan, reach, clientNames } = choices;
        for (const warning of plan.warnings) {
            void pulumi.log.warn(warning, this);
        }
        const scope = createScope(this, choices, args.resourceGroupName);
        const names = globalNames(scope);

        const egress = createEgress(scope, choices);
        const firewall = createFirewall(scope, choices);
        const network = createNetwork(scope, choices, { firewall, egress });
        const reserved = reserveDoorAddress(scope);
        const identity = clusterIdentity(this, {
            plan,
            identity: choices.identity(),
            doorAddresses: [reserved.address],
            clientNames,
            license: args.license,
            users: args.users,
        });
        const secretStore = createSecretStore(scope, choices, { network, names, items: identity.bootItems });
        const doors = createDoors(scope, reserved);
        const reached = [...doors.ready, ...firewall.ready];
        const api = cloudApi({ plan, reach, doors, identity });
        const brokers = createBrokers(scope, choices, {
            network,
            doors,
            secretStore,
            image: pinImage(scope, args.broker?.imageId),
            package: pinPackage(scope),
            api,
            boot: [...network.ready, ...secretStore.ready, ...firewall.rules],
            reached,
        });
        createPublicName(scope, args.dns, reserved.address);
        const { service, linked } = createNameService(scope, network);
        const logs = createFlowLogs(scope, choices, { network, names, after: linked });
        const running = createRunningCluster(this, {
            plan,
            identity,
            api,
            license: args.license,
            memberships: brokers.memberships,
            reached,
        });

        this.facts = cloudFacts(plan, "azure", choices.cidr, choices.vpn.support);
        this.cluster = cloudCluster({
            plan,
            identity,
            reach,
            doors,
            clientNames,
            incarnation: brokers.incarnation,
            ready: [...brokers.memberships, ...running, ...reached],
        });
        this.nameService = service;
        this.end = azurePublicEnd(scope, { egress, firewall, address: reserved.address, caPem: identity.caPem });
        const changes = [...network.ready, ...linked, ...logs];
        this.makeVpnEnd = (peers) => azureVpnEnd(scope, choices, { network, firewall, caPem: identity.caPem, changes }, peers);
        this.device = identity.device;
        this.endpoint = this.cluster.clientDoor.apply(({ scheme, host, port }) => `${scheme}://${host}:${port}`);
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
     * What the site costs in a month before anything is sent, row by row. The gateway of tier `vpn` is among it once the Mesh is made;
     * connections are the pairs' and stand in the mesh's output.
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
