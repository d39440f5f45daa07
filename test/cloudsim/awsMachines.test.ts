import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { aws } from "./aws/index.mts";
import { types } from "./aws/tokens.mts";
import { AwsObjects, region } from "./awsObjects.js";

let site: AwsObjects;
beforeEach(() => {
    site = new AwsObjects();
});
afterEach(() => site.cloud.dispose());

describe("machines", () => {
    beforeEach(async () => await site.whole());

    test.each([
        [
            "an address outside of the subnet",
            types.networkInterface,
            { subnetId: "@private a", privateIps: ["10.1.9.4"] },
            "does not fall within",
        ],
        [
            "an address that EC2 keeps",
            types.networkInterface,
            { subnetId: "@private a", privateIps: ["10.1.0.3"] },
            "reserved address range",
        ],
        [
            "an address that is taken",
            types.networkInterface,
            { subnetId: "@private a", privateIps: ["10.1.0.4"] },
            "InvalidIPAddress.InUse",
        ],
        [
            "a second machine on an interface",
            types.instance,
            { ami: "ami-0123456789abcdef0", instanceType: "m7g.large", primaryNetworkInterface: { networkInterfaceId: "@card" } },
            "InvalidNetworkInterface.InUse",
        ],
        [
            "a profile that is not there",
            types.instance,
            { ami: "ami-0123456789abcdef0", instanceType: "m7g.large", iamInstanceProfile: "none" },
            "Invalid IAM Instance Profile name",
        ],
        [
            "too long user data",
            types.instance,
            { ami: "ami-0123456789abcdef0", instanceType: "m7g.large", userData: "x".repeat(16_385) },
            "limited to 16384 bytes",
        ],
        ["an image that is none", types.instance, { ami: "newest", instanceType: "m7g.large" }, "InvalidAMIID.Malformed"],
        [
            "a disk that is attached",
            types.volumeAttachment,
            { deviceName: "/dev/sdg", volumeId: "@disk", instanceId: "@host" },
            "VolumeInUse",
        ],
        [
            "a value beyond a parameter's tier",
            types.parameter,
            { name: "/x", type: "SecureString", value: "x".repeat(4097) },
            "maximum parameter value of 4096",
        ],
        [
            "a parameter's name that is taken",
            types.parameter,
            { name: "/site/cookie", type: "SecureString", value: "x" },
            "ParameterAlreadyExists",
        ],
        ["a policy that is no JSON", types.rolePolicy, { name: "x", role: "@role", policy: "{" }, "MalformedPolicyDocument"],
    ])("%s is refused", async (_what, type, inputs, message) => {
        await expect(site.make("x", type, inputs)).rejects.toThrow(message);
    });

    test("a disk of another zone, and a second one on the same device", async () => {
        await site.make("far", types.volume, { availabilityZone: `${region}b`, size: 20 });
        await site.make("near", types.volume, { availabilityZone: `${region}a`, size: 20 });
        const attachment = { deviceName: "/dev/sdf", instanceId: "@host" };
        await expect(site.make("x", types.volumeAttachment, { ...attachment, volumeId: "@far" })).rejects.toThrow("ZoneMismatch");
        await expect(site.make("x", types.volumeAttachment, { ...attachment, volumeId: "@near" })).rejects.toThrow(
            "already in use",
        );
        await expect(site.remove("disk")).rejects.toThrow("VolumeInUse");
        await expect(
            site.cloud.update(types.volume, site.id("disk"), { availabilityZone: `${region}a`, size: 10 }),
        ).rejects.toThrow("New size cannot be smaller");
    });

    test("a role stays while a profile or a policy has it", async () => {
        await expect(site.remove("role")).rejects.toThrow("must delete policies first");
        await site.remove("policy");
        await expect(site.remove("role")).rejects.toThrow("must remove roles from instance profile first");
    });

    test("other boot data is another machine; another size is a restart", async () => {
        const inputs = site.object("host").inputs;
        expect(site.cloud.replaces(types.instance, inputs, { ...inputs, userData: "other" })).toEqual(["userData"]);
        expect(site.cloud.replaces(types.instance, inputs, { ...inputs, instanceType: "m7g.xlarge" })).toEqual([]);
        const before = site.machine.key;
        await site.cloud.update(types.instance, site.id("host"), { ...inputs, instanceType: "m7g.xlarge" });
        expect(site.machine.key).not.toBe(before);
        const restarted = site.machine.key;
        await site.cloud.update(types.instance, site.id("host"), { ...inputs, instanceType: "m7g.xlarge", tags: { a: "b" } });
        expect(site.machine.key).toBe(restarted);
    });

    test("a whole machine boots, and comes from the NAT gateway's address", () => {
        const { address, waitsFor, halted, disk, egress } = site.machine;
        expect({ address, waitsFor, halted, disk, egress }).toEqual({
            address: "10.1.0.4",
            waitsFor: undefined,
            halted: undefined,
            disk: site.id("disk"),
            egress: [site.object("nat address").outputs.publicIp],
        });
    });

    test.each([
        ["to nat", "its subnet has no route to the internet"],
        ["used", "its subnet has no route to the internet"],
        ["way out", "its subnet has no route to the internet"],
        ["web", "its security groups let nothing out on port 443"],
    ])("without %s it waits: %s", async (name, reason) => {
        await site.remove(name);
        expect(site.machine.waitsFor).toBe(reason);
    });

    test("without its own disk it does not run", async () => {
        await site.remove("mounted");
        expect(site.machine.halted).toBe("no data disk is attached");
        await site.make("other disk", types.volume, { availabilityZone: `${region}a`, size: 20 });
        await site.make("m", types.volumeAttachment, { deviceName: "/dev/sdf", volumeId: "@other disk", instanceId: "@host" });
        expect(site.machine.halted).toBe("the attached disk is not the one that the boot data names");
    });

    test("it reads by its role what that may read", async () => {
        const item = (name: string) => site.machine.item({ AWS_REGION: region, PARAMETER_PREFIX: "/site" }, name);
        expect(item("cookie")).toBe("the cookie");
        expect(item("none")).toBeUndefined();
        await site.make("other", types.parameter, { name: "/site/other", type: "SecureString", value: "x" });
        expect(item("other")).toBeUndefined();
        await site.remove("policy");
        expect(item("cookie")).toBeUndefined();
    });

    test("the metadata service answers with a token only", () => {
        const ask = (method: string, path: string, headers: Record<string, string> = {}) =>
            site.machine.ask({ method, url: new URL(`http://169.254.169.254/latest/${path}`), headers, body: "" });
        expect(ask("GET", "meta-data/iam/security-credentials/")?.status).toBe(401);
        expect(ask("PUT", "api/token")?.status).toBe(400);
        const token = ask("PUT", "api/token", { "x-aws-ec2-metadata-token-ttl-seconds": "60" })?.body ?? "";
        const headers = { "x-aws-ec2-metadata-token": token };
        expect(ask("GET", "meta-data/iam/security-credentials/", headers)).toEqual({ status: 200, body: "role" });
        expect(ask("GET", "meta-data/iam/security-credentials/other", headers)?.status).toBe(404);
        expect(JSON.parse(ask("GET", "meta-data/iam/security-credentials/role", headers)?.body ?? "{}")).toMatchObject({
            Code: "Success",
            AccessKeyId: expect.stringMatching(/^ASIA/),
        });
        const unsigned = { method: "POST", url: new URL(`https://ssm.${region}.amazonaws.com/`), headers: {}, body: "{}" };
        expect(site.machine.ask(unsigned)).toMatchObject({ status: 400, body: expect.stringContaining("UnrecognizedClient") });
        expect(site.machine.ask({ ...unsigned, url: new URL("https://example.com/") })).toBeUndefined();
    });

    test("private names are answered with both of the network's switches on", async () => {
        await site.make("zone", types.zone, { name: "link.m.internal", vpcs: [{ vpcId: "@vpc" }] });
        await site.make("r", types.record, {
            zoneId: "@zone",
            name: "b.link.m.internal",
            type: "CNAME",
            ttl: 5,
            records: ["b.example.com"],
        });
        expect([...site.machine.names]).toEqual([["b.link.m.internal", "b.example.com"]]);
        await site.cloud.update(types.vpc, site.id("vpc"), { cidrBlock: "10.1.0.0/16", enableDnsHostnames: false });
        expect([...site.machine.names]).toEqual([]);
    });

    test("out of the network: as rules say", () => {
        expect(site.machine.blocked("198.51.100.9", 443)).toBeUndefined();
        expect(site.machine.blocked("198.51.100.9", 8884)).toMatch(/^no rule of sg-/);
    });

    test("nodes meet where a rule of both directions lets them", async () => {
        await site.make("card 2", types.networkInterface, {
            subnetId: "@private a",
            privateIps: ["10.1.0.5"],
            securityGroups: ["@host group"],
        });
        await site.make("host 2", types.instance, {
            ami: "ami-0123456789abcdef0",
            instanceType: "m7g.large",
            primaryNetworkInterface: { networkInterfaceId: "@card 2" },
        });
        const self = {
            ipProtocol: "tcp",
            fromPort: 4370,
            toPort: 4370,
            securityGroupId: "@host group",
            referencedSecurityGroupId: "@host group",
        };
        expect(site.machine.meets("10.1.0.5", 4370)).toBe(false);
        await site.make("in", types.ingressRule, self);
        expect(site.machine.meets("10.1.0.5", 4370)).toBe(false);
        await site.make("out", types.egressRule, self);
        expect(site.machine.meets("10.1.0.5", 4370)).toBe(true);
        expect(site.machine.meets("10.1.0.5", 5370)).toBe(false);
        expect(site.machine.meets("10.1.0.6", 4370)).toBe(false);
    });
});

describe("where connections lead", () => {
    const peer = "198.51.100.200";
    beforeEach(async () => await site.whole());

    test("the listed source reaches the machine, another does not, and another port has no listener", async () => {
        expect(site.route(peer)).toEqual({ machines: [site.machine.key], port: 8884 });
        expect(site.route("198.51.100.201")).toMatchObject({
            dropped: expect.stringContaining("admits 198.51.100.201 on port 8884"),
        });
        await site.make("all", types.ingressRule, { securityGroupId: "@door group", ipProtocol: "-1", cidrIpv4: "0.0.0.0/0" });
        expect(site.route(peer, 22)).toEqual({ refused: "no listener of doors on port 22" });
        expect(site.route(peer, 8884, false)).toEqual({ refused: "no healthy target of links" });
    });

    test.each(["to host", "from door", "target"])("without %s no target is healthy", async (name) => {
        await site.remove(name);
        expect(site.route(peer)).toEqual({ refused: "no healthy target of links" });
    });

    test("without a public subnet nothing arrives", async () => {
        await site.remove("open a");
        expect(site.route(peer)).toMatchObject({ dropped: expect.stringContaining("no route to an internet gateway") });
    });

    test("an address that serves nothing, and one of nobody", async () => {
        await site.make("spare", types.eip, { domain: "vpc" });
        const spare = String(site.object("spare").outputs.publicIp);
        const to = (address: string) => aws.route(site.cloud.view, { source: peer, address, port: 8884 }, () => true);
        expect(to(spare)).toMatchObject({ dropped: expect.stringContaining("nothing takes connections there") });
        expect(to("192.0.2.9")).toBeUndefined();
    });

    test("the load balancer's own name, and an alias of it in a public zone", async () => {
        const name = String(site.object("balancer").outputs.dnsName);
        expect(aws.lookup(site.cloud.view, name)).toEqual([site.doorAddress]);
        await site.make("zone", types.zone, { name: "example.com" });
        await site.make("alias", types.record, {
            zoneId: "@zone",
            name: "mqtt.example.com",
            type: "A",
            aliases: [{ name, zoneId: "Z", evaluateTargetHealth: true }],
        });
        expect(aws.lookup(site.cloud.view, "mqtt.example.com")).toEqual([site.doorAddress]);
        expect(aws.lookup(site.cloud.view, "other.example.com")).toEqual([]);
    });
});

test("a new profile is not usable at once, and the provider waits for it", async () => {
    const later = new AwsObjects(1);
    await later.make("role", types.role, { name: "role", assumeRolePolicy: "{}" });
    const before = Date.now();
    await later.make("profile", types.instanceProfile, { name: "profile", role: "@role" });
    expect(later.object("profile").usableAt).toBeGreaterThan(before);
    await later.make("host", types.instance, {
        ami: "ami-0123456789abcdef0",
        instanceType: "m7g.large",
        iamInstanceProfile: "@profile",
    });
    expect(later.object("profile").usableAt).toBeLessThanOrEqual(Date.now());
    later.cloud.dispose();
});
