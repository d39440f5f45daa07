import * as aws from "@pulumi/aws/provider.js";
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it, vi } from "vitest";
import { AwsSite } from "../../../src/aws/index.js";
import { totalCost } from "../../../src/cluster/monthlyCost.js";
import { assertNoCycle, countByType, ofType, reaches, tagsOf } from "../../support/graph.js";
import type { RecordedResource, Recording } from "../../support/recorder.js";
import { licensed, oneSite, recordAws, siteArgs, theirNetwork } from "./awsFixture.js";

const zones = ["eu-central-1a", "eu-central-1b", "eu-central-1c"];
const isAws = ({ type }: RecordedResource) => type.startsWith("aws:");
/** Counts of AWS's own types, by the end of their tokens. */
const awsCounts = (recording: Recording) =>
    Object.fromEntries(
        Object.entries(countByType(recording))
            .filter(([type]) => type.startsWith("aws:"))
            .map(([type, count]) => [type.split("/")[0]?.replace("aws:", "") ?? "", type, count] as const)
            .map(([module, type, count]) => [`${module.split(":")[0]}.${type.split(":").at(-1)}`, count]),
    );

const ownNetwork = {
    "ec2.Vpc": 1,
    "ec2.DefaultSecurityGroup": 1,
    "ec2.InternetGateway": 1,
    "ec2.Subnet": 6,
    "ec2.RouteTable": 4,
    "ec2.RouteTableAssociation": 6,
    "ec2.Route": 4,
    "ec2.NatGateway": 1,
    "ec2.Eip": 4,
    "ec2.FlowLog": 1,
    "cloudwatch.LogGroup": 1,
    "iam.Role": 2,
    "iam.RolePolicy": 2,
};
const oneNode = {
    ...ownNetwork,
    "ec2.SecurityGroup": 2,
    "vpc.SecurityGroupIngressRule": 7,
    "vpc.SecurityGroupEgressRule": 7,
    "lb.LoadBalancer": 1,
    "lb.TargetGroup": 3,
    "lb.Listener": 3,
    "lb.TargetGroupAttachment": 3,
    "ssm.Parameter": 10,
    "iam.InstanceProfile": 1,
    "ec2.NetworkInterface": 1,
    "ec2.Instance": 1,
    "ebs.Volume": 1,
    "ec2.VolumeAttachment": 1,
    "route53.Zone": 1,
};
const threeNodes = {
    ...oneNode,
    "lb.TargetGroupAttachment": 9,
    "ec2.NetworkInterface": 3,
    "ec2.Instance": 3,
    "ebs.Volume": 3,
    "ec2.VolumeAttachment": 3,
};

describe("what an AWS site makes", () => {
    it("with one node", async () => {
        expect(awsCounts(await oneSite())).toEqual(oneNode);
    });

    it("with three nodes, one in each zone", async () => {
        const recording = await oneSite(licensed);
        expect(awsCounts(recording)).toEqual(threeNodes);
        expect(ofType(recording, ":Volume").map(({ inputs }) => inputs.availabilityZone)).toEqual(zones);
        expect(ofType(recording, ":NodeMembership")).toHaveLength(3);
        expect(ofType(recording, ":NodeDeparture")).toHaveLength(3);
    });

    it("with a NAT gateway for each zone", async () => {
        const recording = await oneSite({ ...licensed, egress: "perZone" });
        expect(awsCounts(recording)).toEqual({ ...threeNodes, "ec2.NatGateway": 3, "ec2.Eip": 6 });
        for (const zone of zones) {
            expect(recording.named(`aws-nat-${zone}`).inputs).toMatchObject({
                connectivityType: "public",
                allocationId: `eipalloc-aws-egress-${zone}`,
                subnetId: `aws-public-${zone}-id`,
            });
            expect(recording.named(`aws-brokers-to-internet-${zone}`).inputs.natGatewayId).toBe(`aws-nat-${zone}-id`);
        }
    });

    it("in a network of the user's: no VPC, gateway, route or default security group", async () => {
        const recording = await oneSite({ ...licensed, network: theirNetwork });
        const kept = Object.entries(threeNodes).filter(([type]) => !(type in ownNetwork));
        expect(awsCounts(recording)).toEqual({
            ...Object.fromEntries(kept),
            "ec2.Eip": 2,
            "iam.Role": 1,
            "iam.RolePolicy": 1,
        });
        expect(recording.named("aws-interface-3").inputs).toMatchObject({
            subnetId: "subnet-brokers-a",
            privateIps: ["10.50.0.5"],
        });
        expect(recording.named("aws-doors").inputs.subnetMappings).toEqual([
            { subnetId: "subnet-public-a", allocationId: "eipalloc-aws-door-eu-central-1a" },
            { subnetId: "subnet-public-b", allocationId: "eipalloc-aws-door-eu-central-1b" },
        ]);
        expect(recording.named("aws-link-zone").inputs.vpcs).toEqual([{ vpcId: "vpc-theirs", vpcRegion: "eu-central-1" }]);
    });

    it("as children of the site, without a circle and without waiting for a component", async () => {
        const recording = await oneSite(licensed);
        assertNoCycle(recording);
        const components = recording.resources.filter(({ type }) => type.startsWith("linkspan:")).map(({ name }) => name);
        expect(components).toEqual(["aws", "project-stack"]);
        for (const { name, parent, dependencies, type } of recording.resources.filter(
            (one) => !one.type.startsWith("linkspan:"),
        )) {
            expect([name, parent]).toEqual([name, type.endsWith(":MeshCa") ? "project-stack" : "aws"]);
            expect(dependencies.filter((one) => components.includes(one))).toEqual([]);
        }
    });

    it("in the site's region, whatever the provider's is; what has no region names none", async () => {
        const recording = await oneSite({ ...licensed, dns: { zoneId: "Z1", name: "mqtt.example.com" } });
        for (const { type, name, inputs } of recording.resources.filter(isAws)) {
            const global = type.startsWith("aws:iam/") || type.startsWith("aws:route53/");
            expect([name, inputs.region]).toEqual([name, global ? undefined : "eu-central-1"]);
        }
        expect(recording.calls.map(({ args }) => args.region)).toEqual(["eu-central-1", "eu-central-1"]);
    });

    it("with tags on all that takes some; the user's win", async () => {
        const recording = await oneSite({ tags: { team: "fleet", "linkspan-site": "theirs" } });
        const without = /:(Route|RouteTableAssociation|RolePolicy|VolumeAttachment|TargetGroupAttachment)$/;
        for (const resource of recording.resources.filter((one) => isAws(one) && !without.test(one.type))) {
            expect([resource.name, tagsOf(resource)]).toEqual([
                resource.name,
                {
                    Name: `project-stack-${resource.name}`,
                    "linkspan-mesh": "project-stack",
                    "linkspan-site": "theirs",
                    team: "fleet",
                },
            ]);
        }
    });

    it("through the provider that it was given", async () => {
        const recording = await recordAws(() => {
            const provider = new aws.Provider("theirs", { region: "us-east-1" });
            new AwsSite("aws", siteArgs(1), { provider });
        });
        for (const { name, provider } of recording.resources.filter(isAws)) {
            expect([name, provider]).toEqual([name, expect.stringContaining("::theirs::")]);
        }
    });
});

describe("an AWS site's network", () => {
    it("has Amazon's name server, a closed default group, logs of every flow, and gives out no public address", async () => {
        const recording = await oneSite();
        expect(recording.named("aws-vpc").inputs).toMatchObject({
            cidrBlock: "10.1.0.0/16",
            enableDnsSupport: true,
            enableDnsHostnames: true,
        });
        expect(recording.named("aws-default-security-group").inputs).toMatchObject({ ingress: [], egress: [] });
        expect(recording.named("aws-flow-log").inputs).toMatchObject({
            trafficType: "ALL",
            logDestination: "arn:aws:logs:eu-central-1:account-ours:log-group:aws-flow-logs",
        });
        // Flow logs of another account may not be written as this site.
        const trust = JSON.parse(String(recording.named("aws-flow-logs-role").inputs.assumeRolePolicy));
        expect(trust.Statement[0].Condition).toEqual({ StringEquals: { "aws:SourceAccount": "account-ours" } });
        expect(recording.named("aws-flow-logs").inputs.retentionInDays).toBe(365);
        for (const subnet of ofType(recording, ":Subnet")) {
            expect([subnet.name, subnet.inputs.mapPublicIpOnLaunch]).toEqual([subnet.name, false]);
        }
    });

    it("keeps a zone's ranges in whatever order the zones stand", async () => {
        const recording = await oneSite({ zones: ["eu-central-1c", "eu-central-1a"] });
        expect(recording.named("aws-brokers-eu-central-1c").inputs).toMatchObject({
            cidrBlock: "10.1.2.0/24",
            availabilityZone: "eu-central-1c",
        });
        expect(recording.named("aws-public-eu-central-1a").inputs.cidrBlock).toBe("10.1.16.0/24");
        expect(recording.named("aws-interface-1").inputs.privateIps).toEqual(["10.1.2.4"]);
    });

    it("reserves addresses before anything uses them and gives them back before the gateway goes", async () => {
        const recording = await oneSite({ egress: "perZone" });
        for (const { name, dependencies, inputs } of ofType(recording, ":Eip")) {
            expect([name, dependencies, inputs.domain]).toEqual([name, ["aws-internet-gateway"], "vpc"]);
        }
        for (const { name } of [...ofType(recording, ":NatGateway"), ...ofType(recording, ":LoadBalancer")]) {
            expect([name, reaches(recording, name, "aws-internet-gateway")]).toEqual([name, true]);
            expect([name, reaches(recording, name, "aws-public-to-internet")]).toEqual([name, true]);
        }
    });

    it("says how many Elastic IPs it takes, and warns beyond what new accounts have", async () => {
        const info = vi.spyOn(pulumi.log, "info").mockResolvedValue();
        const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
        try {
            await oneSite({ clientCidrs: "anywhere" });
            expect(info.mock.calls.map(([text]) => text)).toEqual([
                "aws takes 4 Elastic IPs in eu-central-1 (3 of the load balancer, 1 of NAT gateways); new accounts have 5 for each region",
            ]);
            expect(warn).not.toHaveBeenCalled();
            await oneSite({ egress: "perZone" });
            expect(warn.mock.calls.map(([text]) => text)).toEqual([
                'aws takes 6 Elastic IPs in eu-central-1 (3 of the load balancer, 3 of NAT gateways); new accounts have 5 for each region: raise the quota (Service Quotas, EC2-VPC Elastic IPs), set egress to "single", or name fewer zones',
            ]);
        } finally {
            info.mockRestore();
            warn.mockRestore();
        }
    });
});

describe("an AWS site's doors", () => {
    it("are a load balancer that passes TCP through, with fixed addresses, across zones", async () => {
        const { inputs, deleteBeforeReplace } = (await oneSite()).named("aws-doors");
        expect(inputs).toMatchObject({
            loadBalancerType: "network",
            internal: false,
            securityGroups: ["aws-doors-firewall-id"],
            enableCrossZoneLoadBalancing: true,
            subnetMappings: zones.map((zone) => ({
                subnetId: `aws-public-${zone}-id`,
                allocationId: `eipalloc-aws-door-${zone}`,
            })),
        });
        expect(deleteBeforeReplace).toBe(true);
    });

    it.each([
        ["clients", 8883],
        ["links", 8884],
        ["api", 18084],
    ])("%s: keep clients' addresses, outlive the keepalive, ask brokers for their health", async (door, port) => {
        const recording = await oneSite();
        expect(recording.named(`aws-${door}-targets`).inputs).toMatchObject({
            port,
            protocol: "TCP",
            targetType: "instance",
            preserveClientIp: "true",
            healthCheck: { protocol: "HTTPS", port: "18084", path: "/api/v5/load_rebalance/availability_check", matcher: "200" },
            deregistrationDelay: 30,
            connectionTermination: true,
            targetHealthStates: [{ enableUnhealthyConnectionTermination: false, unhealthyDrainingInterval: 120 }],
        });
        expect(recording.named(`aws-${door}-listener`).inputs).toMatchObject({
            port,
            protocol: "TCP",
            tcpIdleTimeoutSeconds: 900,
            loadBalancerArn: "arn:aws-doors",
            defaultActions: [{ type: "forward", targetGroupArn: `arn:aws-${door}-targets` }],
        });
        expect(recording.named(`aws-${door}-to-broker-1`).inputs).toMatchObject({
            targetGroupArn: `arn:aws-${door}-targets`,
            targetId: "aws-broker-1-id",
        });
    });

    it("have names that fit AWS's 32 characters, different in every mesh and region", async () => {
        const longest = "a23456789-123456789-1234";
        const named = async (more: Parameters<typeof oneSite>[0]) => {
            const recording = await oneSite(more, longest);
            return [...ofType(recording, ":LoadBalancer"), ...ofType(recording, ":TargetGroup")].map(({ inputs }) => inputs.name);
        };
        const names = [...(await named({})), ...(await named({ meshId: "another" })), ...(await named({ region: "eu-west-1" }))];
        expect(names).toHaveLength(12);
        expect(new Set(names).size).toBe(12);
        for (const name of names) {
            expect(name).toMatch(/^[a-z](?!.*--)[a-z0-9-]{0,30}[a-z0-9]$/);
        }
    });

    it("may have a name of Route 53, which the certificate carries first", async () => {
        const recording = await oneSite({ dns: { zoneId: "Z1", name: "mqtt.example.com" }, clientNames: ["b.example.com"] });
        expect(recording.named("aws-client-name").inputs).toMatchObject({
            zoneId: "Z1",
            name: "mqtt.example.com",
            type: "A",
            aliases: [{ name: "aws-doors.elb.example.com", zoneId: "Z-ELB", evaluateTargetHealth: true }],
        });
        expect(recording.named("aws-server-certificate").inputs.dnsNames).toEqual([
            "localhost",
            "project-stack-aws",
            "mqtt.example.com",
            "b.example.com",
        ]);
    });
});

describe("what an AWS site costs", () => {
    it("is the sum of dated prices, and what has none is said, never 0", async () => {
        const rows = async (more: Parameters<typeof oneSite>[0]) => {
            const recording = await recordAws(() => new AwsSite("aws", siteArgs(1, more)).monthlyCosts);
            return recording.outputs as AwsSite["monthlyCosts"];
        };
        const three = await rows(licensed);
        expect(three.map(({ what, usd }) => `${what}: ${usd}`)).toEqual([
            "3 × broker machine m7g.large: 178.7",
            "3 × 36 GiB of gp3 disks: undefined",
            "1 × NAT gateway: 32.85",
            "1 × network load balancer: 16.43",
            "4 × Elastic IP: 14.6",
            "1 × private zone of Route 53: undefined",
        ]);
        const unpriced = ["3 × 36 GiB of gp3 disks", "1 × private zone of Route 53"];
        // As the class's documentation says.
        expect(totalCost(three)).toEqual({ usd: 242.58, without: unpriced });
        expect(totalCost(await rows({})).usd).toBe(123.45);
        for (const { usd, source, date } of three) {
            expect(source).not.toBe("");
            expect(date === "").toBe(usd === undefined);
        }
        expect((await rows({ broker: { size: "c7i.xlarge" } }))[0]).toMatchObject({
            what: "1 × broker machine c7i.xlarge",
            usd: undefined,
        });
        expect((await rows({ network: theirNetwork })).map(({ what }) => what)).not.toContain("0 × NAT gateway");
    });
});
