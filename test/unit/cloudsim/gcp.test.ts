import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Account } from "../../cloudsim/account.mts";
import { Faults } from "../../cloudsim/faults.mts";
import { gcp } from "../../cloudsim/gcp/index.mts";
import { types } from "../../cloudsim/gcp/tokens.mts";
import { Operations } from "../../cloudsim/operations.mts";
import type { Props } from "../../cloudsim/types.mts";

type Kind = keyof typeof types;

let folder: string;
let account: Account;
let cloud: Operations;

beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "cloudsim-gcp-"));
    account = new Account(join(folder, "account.json"), [gcp]);
    cloud = new Operations(gcp, { account, faults: new Faults(), pace: { factor: 0.2 } });
});
afterEach(() => {
    account.save();
    rmSync(folder, { recursive: true, force: true });
});

const region = "europe-west4";
const subject = (kind: Kind, name: string) => ({ type: types[kind], name, config: { project: "acme" } });

/** Makes an object as the provider would: checked, with its automatic name. */
function make(kind: Kind, name: string, inputs: Props): Promise<{ readonly id: string; readonly properties: Props }> {
    const checked = cloud.check(subject(kind, name), {}, inputs);
    expect(checked.failures).toEqual([]);
    return cloud.create(subject(kind, name), checked.inputs);
}

const remove = (kind: Kind, id: string) => cloud.remove(subject(kind, "x"), id);
const linkOf = ({ properties }: { readonly properties: Props }) => String(properties.selfLink);

/** A network with a subnetwork. */
async function base() {
    const network = await make("network", "net", { autoCreateSubnetworks: false });
    const subnetwork = await make("subnetwork", "sub", { network: linkOf(network), region, ipCidrRange: "10.2.0.0/24" });
    return { network, subnetwork };
}

/** What of a machine can be varied. */
async function machine(name: string, more: Props = {}) {
    const zone = `${region}-a`;
    const subnetwork = account.objects().find(({ type }) => type === types.subnetwork);
    return make("instance", name, {
        zone,
        machineType: "c4a-standard-2",
        bootDisk: {
            initializeParams: {
                image: "https://www.googleapis.com/compute/v1/projects/ubuntu-os-cloud/global/images/ubuntu-2404-noble-arm64-v20260102",
                type: "hyperdisk-balanced",
            },
        },
        networkInterfaces: [{ subnetwork: subnetwork?.outputs.selfLink, networkIp: "10.2.0.4" }],
        ...more,
    });
}

describe("what the simulated Google Cloud refuses", () => {
    it("a subnetwork that shares addresses with another of the network", async () => {
        const { network } = await base();
        await expect(
            make("subnetwork", "other", { network: linkOf(network), region, ipCidrRange: "10.2.0.128/25" }),
        ).rejects.toThrow(/conflicts with existing subnetwork 'sub-/);
    });

    it("a router in a network that is not ready yet", async () => {
        const id = "projects/acme/global/networks/young";
        account.add({
            cloud: "gcp",
            type: types.network,
            id,
            name: "young",
            inputs: { name: "young" },
            outputs: {},
            usableAt: Date.now() + 3_600_000,
        });
        await expect(make("router", "router", { network: id, region })).rejects.toThrow(`The resource '${id}' is not ready`);
    });

    it("a name that another has, and names that are none of Google's", async () => {
        await make("network", "net", { name: "one", autoCreateSubnetworks: false });
        await expect(make("network", "again", { name: "one", autoCreateSubnetworks: false })).rejects.toThrow("alreadyExists");
        await expect(make("network", "bad", { name: "Bad_Name" })).rejects.toThrow("doesn't match regexp");
        const { failures } = cloud.check(subject("account", "a-name-of-more-than-twenty-two"), {}, {});
        expect(failures).toMatchObject([{ property: "accountId" }]);
    });

    it("deletion of what is in use: network, subnetwork, addresses, disks, groups, zones", async () => {
        const { network, subnetwork } = await base();
        const address = await make("address", "out", { region });
        const router = await make("router", "router", { network: linkOf(network), region });
        await make("routerNat", "nat", {
            region,
            router: router.properties.name,
            natIpAllocateOption: "MANUAL_ONLY",
            natIps: [linkOf(address)],
            sourceSubnetworkIpRangesToNat: "LIST_OF_SUBNETWORKS",
            subnetworks: [{ name: linkOf(subnetwork), sourceIpRangesToNats: ["PRIMARY_IP_RANGE"] }],
        });
        const zone = `${region}-a`;
        const disk = await make("disk", "data", { zone, size: 20, type: "hyperdisk-balanced" });
        await machine("m", { attachedDisks: [{ source: linkOf(disk) }] });
        const group = await make("instanceGroup", "group", { zone, network: linkOf(network) });
        const check = await make("healthCheck", "check", { region, tcpHealthCheck: { port: 1 } });
        await make("backendService", "backend", {
            region,
            healthChecks: linkOf(check),
            loadBalancingScheme: "EXTERNAL",
            protocol: "TCP",
            backends: [{ group: linkOf(group), balancingMode: "CONNECTION" }],
        });
        const names = await make("managedZone", "zone", {
            dnsName: "link.fleet.internal.",
            visibility: "private",
            privateVisibilityConfig: { networks: [{ networkUrl: linkOf(network) }] },
        });
        await make("recordSet", "record", {
            managedZone: names.properties.name,
            name: "a.link.fleet.internal.",
            type: "A",
            rrdatas: ["192.0.2.1"],
        });
        for (const [kind, { id }] of [
            ["network", network],
            ["subnetwork", subnetwork],
            ["address", address],
            ["router", router],
            ["disk", disk],
            ["instanceGroup", group],
            ["healthCheck", check],
        ] as const) {
            await expect(remove(kind, id), kind).rejects.toThrow("resourceInUseByAnotherResource");
        }
        await expect(remove("managedZone", names.id)).rejects.toThrow("containerNotEmpty");
    });

    it("machines with a taken address, one outside the subnetwork, the wrong disk, image, type or zone", async () => {
        await base();
        await machine("m");
        await expect(machine("n")).rejects.toThrow("IP '10.2.0.4' is already being used");
        const at = (networkIp: string) => ({
            networkInterfaces: [
                { subnetwork: account.objects().find(({ type }) => type === types.subnetwork)?.outputs.selfLink, networkIp },
            ],
        });
        await expect(machine("n", at("10.3.0.4"))).rejects.toThrow("not within the subnetwork's range");
        await expect(machine("n", at("10.2.0.1"))).rejects.toThrow("IP address is reserved");
        const free = at("10.2.0.5");
        const boot = (type: string, image: string) => ({ bootDisk: { initializeParams: { type, image } }, ...free });
        const images = "projects/ubuntu-os-cloud/global/images/ubuntu-2404-noble";
        await expect(machine("n", boot("pd-balanced", `${images}-arm64-v20260102`))).rejects.toThrow(
            "features are not compatible",
        );
        await expect(machine("n", boot("hyperdisk-balanced", `${images}-amd64-v20260102`))).rejects.toThrow(
            "not compatible with",
        );
        await expect(machine("n", { ...free, machineType: "c4a-huge" })).rejects.toThrow("was not found");
        await expect(machine("n", { ...free, zone: "us-central1-a" })).rejects.toThrow("not in the region");
    });

    it("a change that needs a stopped machine, unless stopping is allowed", async () => {
        await base();
        const made = await machine("m");
        const { selfLink: _link, project: _project, ...inputs } = made.properties;
        const resized = { ...inputs, machineType: "c4a-standard-4" };
        await expect(cloud.update(subject("instance", "m"), made.id, resized)).rejects.toThrow("allow_stopping_for_update");
        const allowed = await cloud.update(subject("instance", "m"), made.id, { ...resized, allowStoppingForUpdate: true });
        expect(allowed.instanceId).toBe(made.properties.instanceId);
    });

    it("a machine in two groups, and firewall rules that say nothing", async () => {
        const { network } = await base();
        const made = await machine("m");
        const zone = `${region}-a`;
        const groups = await Promise.all(
            ["g", "h"].map((name) => make("instanceGroup", name, { zone, network: linkOf(network) })),
        );
        const join = (name: string, group: { readonly properties: Props } | undefined) =>
            make("instanceGroupMembership", name, { zone, instance: linkOf(made), instanceGroup: group?.properties.name });
        await join("one", groups[0]);
        await expect(join("two", groups[1])).rejects.toThrow("at most one load-balanced instance group");
        const rule = (inputs: Props) => make("firewall", "rule", { network: linkOf(network), ...inputs });
        await expect(rule({ allows: [{ protocol: "tcp" }] })).rejects.toThrow("one of source_tags");
        await expect(rule({ sourceRanges: ["10.0.0.0/8"] })).rejects.toThrow("Exactly one of allow and deny");
        await expect(rule({ sourceRanges: ["10.0.0.1/8"], allows: [{ protocol: "tcp" }] })).rejects.toThrow("valid CIDR");
    });
});
