import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { types } from "./aws/tokens.mts";
import { AwsObjects, region } from "./awsObjects.js";
import type { Props } from "./types.mts";

let site: AwsObjects;
beforeEach(() => {
    site = new AwsObjects();
});
afterEach(() => site.cloud.dispose());

describe("networks", () => {
    beforeEach(async () => await site.network());

    test.each([
        ["outside of the network", { cidrBlock: "10.2.0.0/24" }, "InvalidSubnet.Range"],
        ["too small", { cidrBlock: "10.1.40.0/29" }, "InvalidSubnet.Range"],
        ["over another", { cidrBlock: "10.1.0.128/25" }, "InvalidSubnet.Conflict: The CIDR '10.1.0.128/25' conflicts"],
        ["in another region's zone", { cidrBlock: "10.1.40.0/24", availabilityZone: "us-east-1a" }, "InvalidParameterValue"],
        ["in no network", { cidrBlock: "10.1.40.0/24", vpcId: "vpc-0" }, "InvalidVpcID.NotFound"],
    ])("a subnet %s is refused", async (_what, inputs, message) => {
        await expect(site.make("s", types.subnet, { vpcId: "@vpc", ...inputs })).rejects.toThrow(message);
    });

    test.each([
        [
            "a second route to the same range",
            types.route,
            { routeTableId: "@public table", destinationCidrBlock: "0.0.0.0/0", gatewayId: "@igw" },
            "RouteAlreadyExists",
        ],
        [
            "a route to the network's own range",
            types.route,
            { routeTableId: "@public table", destinationCidrBlock: "10.1.0.0/16", gatewayId: "@igw" },
            "RouteAlreadyExists",
        ],
        [
            "a route without a target",
            types.route,
            { routeTableId: "@public table", destinationCidrBlock: "10.9.0.0/16" },
            "exactly one target",
        ],
        [
            "a second table for a subnet",
            types.routeTableAssociation,
            { subnetId: "@public a", routeTableId: "@public table" },
            "Resource.AlreadyAssociated",
        ],
        ["a second internet gateway", types.internetGateway, { vpcId: "@vpc" }, "already has an internet gateway"],
        ["a NAT gateway without an address", types.natGateway, { subnetId: "@public a" }, "AllocationId"],
        ["a network of a strange size", types.vpc, { cidrBlock: "10.0.0.0/8" }, "InvalidVpc.Range"],
    ])("%s is refused", async (_what, type, inputs, message) => {
        await expect(site.make("x", type, inputs)).rejects.toThrow(message);
    });

    test("a region has five Elastic IPs unless the quota is raised, each region its own", async () => {
        site.cloud.account.set("aws/eips", 5);
        for (let number = 0; number < 5; number += 1) {
            await site.make(`eip ${number}`, types.eip, { domain: "vpc" });
        }
        await expect(site.make("sixth", types.eip, { domain: "vpc" })).rejects.toThrow("AddressLimitExceeded");
        await site.make("elsewhere", types.eip, { domain: "vpc", region: "eu-west-1" });
        site.cloud.account.set("aws/eips", 6);
        await site.make("sixth", types.eip, { domain: "vpc" });
    });

    test("a NAT gateway needs an internet gateway, and keeps it and its address", async () => {
        await site.egress();
        await expect(site.remove("igw")).rejects.toThrow("has some mapped public address(es)");
        await expect(site.remove("nat address")).rejects.toThrow("AuthFailure");
        await expect(site.make("n", types.natGateway, { subnetId: "@public b", allocationId: "@nat address" })).rejects.toThrow(
            "Resource.AlreadyAssociated",
        );
        for (const name of ["used", "to nat", "nat", "nat address", "way out", "igw"]) {
            await site.remove(name);
        }
        await site.make("other address", types.eip, { domain: "vpc" });
        await expect(site.make("n", types.natGateway, { subnetId: "@public a", allocationId: "@other address" })).rejects.toThrow(
            "Gateway.NotAttached",
        );
    });

    test("what is in use stays: DependencyViolation", async () => {
        await site.doors();
        await expect(site.remove("vpc")).rejects.toThrow("DependencyViolation: The vpc");
        await expect(site.remove("public a")).rejects.toThrow("DependencyViolation: The subnet");
        await expect(site.remove("public table")).rejects.toThrow("DependencyViolation: The routeTable");
        await expect(site.remove("host group")).rejects.toThrow("has a dependent object");
        await expect(site.remove("targets")).rejects.toThrow("ResourceInUse: Target group");
    });

    test("a network's default security group is taken over, and goes with the network", async () => {
        const id = await site.make("default", types.defaultSecurityGroup, { vpcId: "@vpc", ingress: [], egress: [] });
        expect(id).toBe(site.object("vpc").outputs.defaultSecurityGroupId);
        await site.remove("default");
        expect(site.cloud.view.find(types.securityGroup, id)).toBeDefined();
    });
});

describe("firewalls, doors, names", () => {
    beforeEach(async () => {
        await site.network();
        await site.doors();
    });

    test.each([
        [
            "a rule that is there",
            types.ingressRule,
            { securityGroupId: "@door group", ipProtocol: "tcp", fromPort: 8884, toPort: 8884, cidrIpv4: "198.51.100.200/32" },
            'the specified rule "peer: 198.51.100.200/32, TCP, from port: 8884, to port: 8884, ALLOW" already exists',
        ],
        [
            "a rule for two",
            types.ingressRule,
            {
                securityGroupId: "@door group",
                ipProtocol: "tcp",
                fromPort: 1,
                toPort: 1,
                cidrIpv4: "192.0.2.1/32",
                referencedSecurityGroupId: "@host group",
            },
            "Exactly one of",
        ],
        [
            "a rule of a malformed range",
            types.egressRule,
            { securityGroupId: "@door group", ipProtocol: "tcp", fromPort: 1, toPort: 1, cidrIpv4: "192.0.2.1/24" },
            "is malformed",
        ],
        [
            "a rule without ports",
            types.egressRule,
            { securityGroupId: "@door group", ipProtocol: "tcp", cidrIpv4: "192.0.2.1/32" },
            "Invalid port range",
        ],
        [
            "a description with other characters",
            types.securityGroup,
            { vpcId: "@vpc", description: "Broker’s" },
            "Invalid security group description",
        ],
        [
            "two subnets of one zone",
            types.loadBalancer,
            { name: "x", loadBalancerType: "network", subnets: ["@public a", "@private a"] },
            "same Availability Zone",
        ],
        [
            "an address that is used",
            types.loadBalancer,
            {
                name: "x",
                loadBalancerType: "network",
                subnetMappings: [{ subnetId: "@public a", allocationId: "@door address" }],
            },
            "allocation IDs are not available",
        ],
        [
            "a second listener on a port",
            types.listener,
            {
                loadBalancerArn: "@balancer",
                port: 8884,
                protocol: "TCP",
                defaultActions: [{ type: "forward", targetGroupArn: "@targets" }],
            },
            "DuplicateListener",
        ],
        [
            "an idle timeout out of range",
            types.listener,
            { loadBalancerArn: "@balancer", port: 1, protocol: "TCP", tcpIdleTimeoutSeconds: 30, defaultActions: [] },
            "between 60 and 6000",
        ],
        [
            "a path in a health check by TCP",
            types.targetGroup,
            { name: "t", port: 1, protocol: "TCP", vpcId: "@vpc", healthCheck: { protocol: "TCP", path: "/" } },
            "Health check path is not supported",
        ],
        [
            "a name of 33 characters",
            types.targetGroup,
            { name: "x".repeat(33), port: 1, protocol: "TCP", vpcId: "@vpc" },
            "longer than '32'",
        ],
    ])("%s is refused", async (_what, type, inputs, message) => {
        await expect(site.make("x", type, inputs)).rejects.toThrow(message);
    });

    test("a group takes so many rules", async () => {
        site.cloud.account.set("aws/rulesPerGroup", 1);
        const rule = { securityGroupId: "@door group", ipProtocol: "tcp", fromPort: 1, toPort: 1, cidrIpv4: "192.0.2.1/32" };
        await expect(site.make("x", types.ingressRule, rule)).rejects.toThrow("RulesPerSecurityGroupLimitExceeded");
    });

    test("a load balancer's groups can be exchanged, but not come or go", () => {
        const base = { name: "doors", loadBalancerType: "network", subnetMappings: [{ subnetId: "s", allocationId: "e" }] };
        const replaces = (olds: Props, news: Props) =>
            site.cloud.replaces(types.loadBalancer, { ...base, ...olds }, { ...base, ...news });
        expect(replaces({ securityGroups: ["a"] }, { securityGroups: ["b"] })).toEqual([]);
        expect(replaces({}, { securityGroups: ["b"] })).toEqual(["securityGroups"]);
        expect(replaces({ securityGroups: ["a"] }, {})).toEqual(["securityGroups"]);
        expect(replaces({}, { subnetMappings: [...base.subnetMappings, { subnetId: "t", allocationId: "f" }] })).toEqual([]);
        expect(replaces({}, { subnetMappings: [] })).toEqual(["subnetMappings"]);
    });

    test("records belong to their zone, once; a zone with records stays", async () => {
        await site.make("zone", types.zone, { name: "link.m.internal", vpcs: [{ vpcId: "@vpc" }] });
        const record = { zoneId: "@zone", name: "b.link.m.internal", type: "CNAME", ttl: 5, records: ["b.example.com"] };
        await site.make("record", types.record, record);
        await expect(site.make("x", types.record, record)).rejects.toThrow("but it already exists");
        await expect(site.make("x", types.record, { ...record, type: "A", records: ["192.0.2.1"] })).rejects.toThrow("conflicts");
        await expect(site.make("x", types.record, { ...record, name: "b.other.internal" })).rejects.toThrow(
            "not permitted in zone",
        );
        await expect(site.make("x", types.record, { ...record, name: "c.link.m.internal", ttl: undefined })).rejects.toThrow(
            "TTL",
        );
        await expect(site.make("x", types.zone, { name: "link.m.internal", vpcs: [{ vpcId: "@vpc" }] })).rejects.toThrow(
            "ConflictingDomainExists",
        );
        await expect(site.remove("zone")).rejects.toThrow("HostedZoneNotEmpty");
    });
});

describe("functions", () => {
    const call = (token: string, args: Props) => site.cloud.operations.invoke(token, args, { region });
    const ubuntu = "/aws/service/canonical/ubuntu/server/24.04/stable/current/arm64/hvm/ebs-gp3/ami-id";

    test("zones of a region", () => {
        const names = (args: Props) => call("aws:index/getAvailabilityZones:getAvailabilityZones", args).names;
        expect(names({})).toEqual(["eu-central-1a", "eu-central-1b", "eu-central-1c"]);
        expect(names({ region: "ca-central-1" })).toEqual(["ca-central-1a", "ca-central-1b", "ca-central-1d"]);
    });

    test("the newest image, until there is a newer one", () => {
        const image = () => call("aws:ssm/getParameter:getParameter", { name: ubuntu }).value;
        const first = image();
        expect(first).toMatch(/^ami-0[0-9a-f]{16}$/);
        expect(image()).toBe(first);
        site.cloud.account.set("aws/ubuntu", 2);
        expect(image()).not.toBe(first);
        expect(() => call("aws:ssm/getParameter:getParameter", { name: "/other" })).toThrow("ParameterNotFound");
    });

    test("networks and subnets that exist", async () => {
        await site.network();
        expect(call("aws:ec2/getVpc:getVpc", { id: site.id("vpc") })).toMatchObject({
            enableDnsHostnames: true,
            cidrBlockAssociations: [{ cidrBlock: "10.1.0.0/16" }],
        });
        expect(call("aws:ec2/getSubnet:getSubnet", { id: site.id("public a") })).toMatchObject({
            availabilityZone: "eu-central-1a",
        });
        expect(() => call("aws:ec2/getVpc:getVpc", { id: "vpc-0" })).toThrow("no matching EC2 VPC found");
        expect(() => call("aws:ec2/getSubnet:getSubnet", { id: "subnet-0" })).toThrow("no matching EC2 Subnet found");
    });
});
