import type { PolicyResource, ResourceValidationArgs, StackValidationArgs } from "@pulumi/policy";
import { describe, expect, it } from "vitest";
import { linkspanPolicies, type PolicyPackOptions, rules } from "../../../src/policy/index.js";

type Policy = ReturnType<typeof linkspanPolicies>[number];

function policy(id: string, options?: PolicyPackOptions): Policy {
    const found = linkspanPolicies(options).find(({ name }) => name === id);
    if (found === undefined) {
        throw new Error(`no policy ${id}`);
    }
    return found;
}

const unused = () => {
    throw new Error("not asked for");
};
const options = {
    protect: false,
    ignoreChanges: [],
    aliases: [],
    customTimeouts: { createSeconds: 0, updateSeconds: 0, deleteSeconds: 0 },
    additionalSecretOutputs: [],
};

/** What Pulumi hands to a policy about one resource. */
function toValidate(type: string, props: Record<string, unknown>, parents = ""): ResourceValidationArgs {
    return {
        type,
        name: "it",
        urn: `urn:pulumi:s::p::${parents}${type}::it`,
        props,
        opts: options,
        stackTags: new Map(),
        isType: unused,
        asType: unused,
        getConfig: unused,
        notApplicable: unused,
    };
}

async function saidOfResource(id: string, args: ResourceValidationArgs, more?: PolicyPackOptions): Promise<string[]> {
    const found = policy(id, more);
    const said: string[] = [];
    if ("validateResource" in found && typeof found.validateResource === "function") {
        await found.validateResource(args, (message) => said.push(message));
        return said;
    }
    throw new Error(`${id} does not look at one resource`);
}

function inStack(type: string, name: string, more: Partial<PolicyResource> = {}): PolicyResource {
    return {
        type,
        name,
        urn: `urn:pulumi:s::p::${type}::${name}`,
        props: {},
        opts: options,
        dependencies: [],
        propertyDependencies: {},
        isType: unused,
        asType: unused,
        ...more,
    };
}

async function saidOfStack(id: string, resources: PolicyResource[]): Promise<(readonly [string, string | undefined])[]> {
    const found = policy(id);
    const said: (readonly [string, string | undefined])[] = [];
    if ("validateStack" in found) {
        const args: StackValidationArgs = { resources, stackTags: new Map(), getConfig: unused, notApplicable: unused };
        await found.validateStack(args, (message, urn) => said.push([message, urn]));
        return said;
    }
    throw new Error(`${id} does not look at a stack`);
}

const clients = { ipProtocol: "tcp", fromPort: 8883, toPort: 8883, cidrIpv4: "0.0.0.0/0" };
const ingress = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule";

describe("the policy pack", () => {
    it("has a policy for every rule, with its severity and the other ids", () => {
        expect(linkspanPolicies().map(({ name }) => name)).toEqual(rules.map(({ id }) => id));
        expect(policy("AWS-0107")).toMatchObject({
            description: "SSH and RDP are not open to everybody.",
            severity: "high",
            tags: ["network", "CKV_AWS_24", "CKV_AWS_25"],
        });
    });

    it("stops a deployment for CRITICAL and HIGH, and only speaks of MEDIUM and LOW", () => {
        const levels = new Map(linkspanPolicies().map(({ name, enforcementLevel }) => [name, enforcementLevel]));
        for (const { id, severity } of rules) {
            expect(levels.get(id)).toBe(severity === "CRITICAL" || severity === "HIGH" ? "mandatory" : "advisory");
        }
    });

    it("takes other levels by severity, and by rule before that", () => {
        const more: PolicyPackOptions = { enforcement: { HIGH: "advisory" }, rules: { "AWS-0107": "disabled" } };
        expect(policy("AWS-0107", more).enforcementLevel).toBe("disabled");
        expect(policy("AWS-0028", more).enforcementLevel).toBe("advisory");
        expect(policy("AWS-0104", more).enforcementLevel).toBe("mandatory");
    });

    it("refuses a level for a rule that there is not", () => {
        expect(() => linkspanPolicies({ rules: { "AWS-9999": "advisory" } })).toThrow('rules: there is no rule "AWS-9999"');
    });

    it("reports a resource, and looks at those of the rule's types only", async () => {
        const open = { ...clients, fromPort: 22, toPort: 22 };
        expect(await saidOfResource("AWS-0107", toValidate(ingress, open))).toEqual(["it: tcp 22 from 0.0.0.0/0 is open"]);
        expect(await saidOfResource("AWS-0107", toValidate("aws:ec2/vpc:Vpc", open))).toEqual([]);
        expect(await saidOfResource("AWS-0107", toValidate(ingress, clients))).toEqual([]);
    });

    it("excepts Linkspan's own doors by design, nobody else's, and what the user excepts", async () => {
        const site = "linkspan:aws:AwsSite$";
        expect(await saidOfResource("LINKSPAN-0023", toValidate(ingress, clients, site))).toEqual([]);
        expect(await saidOfResource("LINKSPAN-0023", toValidate(ingress, clients))).toEqual([
            "it: tcp 8883 from 0.0.0.0/0 is open",
        ]);
        const exceptions = [{ rule: "LINKSPAN-0023", what: "a demo", reason: "it is one", applies: () => true }];
        expect(await saidOfResource("LINKSPAN-0023", toValidate(ingress, clients), { exceptions })).toEqual([]);
    });

    it("leaves a value that is not known yet to Pulumi, which says so at preview", async () => {
        // Pulumi's own object throws as soon as an unknown property is looked at, and turns that into advice.
        const unknown = new Error("can't be known during preview");
        const props = Object.defineProperty({ ipProtocol: "tcp", fromPort: 8884, toPort: 8884 }, "cidrIpv4", {
            enumerable: true,
            get: () => {
                throw unknown;
            },
        });
        await expect(saidOfResource("LINKSPAN-0003", toValidate(ingress, props))).rejects.toBe(unknown);
        expect(
            await saidOfResource("AWS-0124", toValidate(ingress, Object.defineProperty(props, "description", { value: "x" }))),
        ).toEqual([]);
    });

    it("reports a resource of a stack by what others say of it", async () => {
        const vpc = inStack("aws:ec2/vpc:Vpc", "network");
        const log = inStack("aws:ec2/flowLog:FlowLog", "log", { dependencies: [vpc], propertyDependencies: { vpcId: [vpc] } });
        expect(await saidOfStack("AWS-0178", [vpc])).toEqual([["network: it has no flow log", vpc.urn]]);
        expect(await saidOfStack("AWS-0178", [vpc, log])).toEqual([]);
    });
});
