import { aws } from "./aws/index.mts";
import { types } from "./aws/tokens.mts";
import { DirectCloud } from "./directCloud.js";
import type { Machine, Props } from "./types.mts";

/** Region of the objects that {@link AwsObjects} makes. */
export const region = "eu-central-1";

const policy = (action: string, resource: string) =>
    JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: action, Resource: [resource] }] });

/** Two zones with a public and a private subnet each, a NAT gateway in the first, a load balancer with one door, and a machine. */
export class AwsObjects {
    readonly cloud: DirectCloud;
    readonly ids: Record<string, string> = {};

    constructor(pace = 0) {
        this.cloud = new DirectCloud(aws, { region }, pace);
        this.cloud.account.set("aws/eips", 20);
    }

    id(name: string): string {
        const found = this.ids[name];
        if (found === undefined) {
            throw new Error(`no ${name}`);
        }
        return found;
    }

    /** Makes an object under a name; texts that begin with `@` stand for the ids of earlier ones. */
    async make(name: string, type: string, inputs: Props): Promise<string> {
        const { id } = await this.cloud.create(
            type,
            filled(inputs, (text) => this.id(text)),
            name,
        );
        this.ids[name] = id;
        return id;
    }

    async remove(name: string): Promise<void> {
        const object = this.cloud.account.objects().find(({ id }) => id === this.id(name));
        await this.cloud.remove(object?.type ?? "", this.id(name), name);
    }

    object(name: string) {
        const found = this.cloud.account.objects().find(({ id }) => id === this.id(name));
        if (found === undefined) {
            throw new Error(`${name} is gone`);
        }
        return found;
    }

    async network(): Promise<void> {
        await this.make("vpc", types.vpc, { cidrBlock: "10.1.0.0/16", enableDnsSupport: true, enableDnsHostnames: true });
        await this.make("igw", types.internetGateway, { vpcId: "@vpc" });
        await this.make("public table", types.routeTable, { vpcId: "@vpc" });
        await this.make("way out", types.route, {
            routeTableId: "@public table",
            destinationCidrBlock: "0.0.0.0/0",
            gatewayId: "@igw",
        });
        for (const [index, zone] of ["a", "b"].entries()) {
            const subnet = (third: number) => ({
                vpcId: "@vpc",
                cidrBlock: `10.1.${third + index}.0/24`,
                availabilityZone: `${region}${zone}`,
            });
            await this.make(`public ${zone}`, types.subnet, subnet(16));
            await this.make(`private ${zone}`, types.subnet, subnet(0));
            await this.make(`open ${zone}`, types.routeTableAssociation, {
                subnetId: `@public ${zone}`,
                routeTableId: "@public table",
            });
        }
    }

    async egress(): Promise<void> {
        await this.make("nat address", types.eip, { domain: "vpc" });
        await this.make("nat", types.natGateway, { subnetId: "@public a", allocationId: "@nat address" });
        await this.make("table", types.routeTable, { vpcId: "@vpc" });
        await this.make("to nat", types.route, {
            routeTableId: "@table",
            destinationCidrBlock: "0.0.0.0/0",
            natGatewayId: "@nat",
        });
        await this.make("used", types.routeTableAssociation, { subnetId: "@private a", routeTableId: "@table" });
    }

    async doors(): Promise<void> {
        await this.make("door group", types.securityGroup, { vpcId: "@vpc", description: "Doors" });
        await this.make("host group", types.securityGroup, { vpcId: "@vpc", description: "Hosts" });
        await this.make("door address", types.eip, { domain: "vpc" });
        await this.make("balancer", types.loadBalancer, {
            name: "doors",
            loadBalancerType: "network",
            securityGroups: ["@door group"],
            subnetMappings: [{ subnetId: "@public a", allocationId: "@door address" }],
            enableCrossZoneLoadBalancing: true,
        });
        await this.make("targets", types.targetGroup, { name: "links", port: 8884, protocol: "TCP", vpcId: "@vpc" });
        await this.make("listener", types.listener, {
            loadBalancerArn: "@balancer",
            port: 8884,
            protocol: "TCP",
            defaultActions: [{ type: "forward", targetGroupArn: "@targets" }],
        });
        const rule = { ipProtocol: "tcp", fromPort: 8884, toPort: 8884 };
        await this.make("from peer", types.ingressRule, {
            ...rule,
            securityGroupId: "@door group",
            cidrIpv4: "198.51.100.200/32",
        });
        await this.make("to host", types.egressRule, {
            ...rule,
            securityGroupId: "@door group",
            referencedSecurityGroupId: "@host group",
        });
        await this.make("from door", types.ingressRule, {
            ...rule,
            securityGroupId: "@host group",
            referencedSecurityGroupId: "@door group",
        });
        await this.make("web", types.egressRule, {
            ipProtocol: "tcp",
            fromPort: 443,
            toPort: 443,
            securityGroupId: "@host group",
            cidrIpv4: "0.0.0.0/0",
        });
    }

    async host(): Promise<void> {
        await this.make("role", types.role, { name: "role", assumeRolePolicy: "{}" });
        await this.make("secret", types.parameter, { name: "/site/cookie", type: "SecureString", value: "the cookie" });
        await this.make("policy", types.rolePolicy, {
            name: "read",
            role: "@role",
            policy: policy("ssm:GetParameter", String(this.object("secret").outputs.arn)),
        });
        await this.make("profile", types.instanceProfile, { name: "profile", role: "@role" });
        await this.make("card", types.networkInterface, {
            subnetId: "@private a",
            privateIps: ["10.1.0.4"],
            securityGroups: ["@host group"],
        });
        await this.make("disk", types.volume, { availabilityZone: `${region}a`, size: 20 });
        await this.make("host", types.instance, {
            ami: "ami-0123456789abcdef0",
            instanceType: "m7g.large",
            primaryNetworkInterface: { networkInterfaceId: "@card" },
            iamInstanceProfile: "@profile",
            userData: `disk ${this.id("disk").replace("-", "")}`,
            userDataReplaceOnChange: true,
        });
        await this.make("mounted", types.volumeAttachment, {
            deviceName: "/dev/sdf",
            volumeId: "@disk",
            instanceId: "@host",
        });
        await this.make("target", types.targetGroupAttachment, { targetGroupArn: "@targets", targetId: "@host" });
    }

    async whole(): Promise<void> {
        await this.network();
        await this.egress();
        await this.doors();
        await this.host();
    }

    get machine(): Machine {
        const [machine] = aws.machines(this.cloud.view);
        if (machine === undefined) {
            throw new Error("no machine");
        }
        return machine;
    }

    get doorAddress(): string {
        return String(this.object("door address").outputs.publicIp);
    }

    route(source: string, port = 8884, ready = true) {
        return aws.route(this.cloud.view, { source, address: this.doorAddress, port }, () => ready);
    }
}

function filled<T>(value: T, find: (name: string) => string): T {
    return JSON.parse(
        JSON.stringify(value, (_key, each: unknown) =>
            typeof each === "string" && each.startsWith("@") ? find(each.slice(1)) : each,
        ),
    ) as T;
}
