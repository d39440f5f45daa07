import { beforeAll, describe, expect, it } from "vitest";
import { exceptions, exceptionText } from "../../../src/policy/exceptions.js";
import { type ResourceGraph, violationsOf } from "../../../src/policy/rule.js";
import { rules } from "../../../src/policy/rules.js";
import { graphOf, programs } from "./cloudSites.js";

/** Rules about what Linkspan's sites never make: they are for the rest of a user's stack, or for what comes with other tiers. */
const notMade = [
    // Network ACLs, default VPCs, transit gateways, endpoint services.
    ...["AWS-0105", "AWS-0102", "AWS-0101", "CKV_AWS_331", "CKV_AWS_123"],
    // Launch templates, extensions of machines.
    ...["AWS-0130", "AWS-0129", "CKV_AZURE_50"],
    // Secrets Manager and keys of the user's own: sites use parameters, and keys that are given to them.
    ...["AWS-0098", "CKV2_AWS_57", "AWS-0065", "CKV_AWS_33", "GCP-0065", "AZU-0014", "LINKSPAN-0014"],
    // Load balancers that end TLS.
    "GCP-0039",
    // Roles in a whole project.
    ...["GCP-0006", "GCP-0011", "LINKSPAN-0022"],
    // Tunnels.
    "LINKSPAN-0011",
];

const graphs = new Map<string, ResourceGraph>();

beforeAll(async () => {
    for (const program of Object.keys(programs)) {
        graphs.set(program, await graphOf(program));
    }
}, 120_000);

const graph = (program: string): ResourceGraph => {
    const found = graphs.get(program);
    if (found === undefined || found.resources.length === 0) {
        throw new Error(`nothing was recorded of ${program}`);
    }
    return found;
};
const violations = () => [...graphs.values()].flatMap((one) => violationsOf(one, rules, exceptions));

describe.each(Object.entries(programs))("%s", (program, { clouds }) => {
    const concerned = rules.filter(
        ({ id, types }) => !notMade.includes(id) && types.some((type) => clouds.some((cloud) => type.startsWith(`${cloud}:`))),
    );
    it.each(concerned.map((rule) => [[rule.id, ...rule.alsoKnownAs].join(" "), rule] as const))("holds %s", (_ids, rule) => {
        const broken = violationsOf(graph(program), [rule], exceptions)
            .filter(({ exception }) => exception === undefined)
            .map(({ resource, message }) => `${resource.name}: ${message}`);
        expect(broken, rule.title).toEqual([]);
    });

    it("has no secret in a property that is not secret", () => {
        const plain = graph(program).resources.flatMap(({ name, props, secrets = [] }) =>
            textsOf(props)
                .filter(([, text]) => text.includes("S3cret"))
                .filter(([path]) => !secrets.some((secret) => path === secret || path.startsWith(`${secret}.`)))
                .map(([path]) => `${name}: ${path}`),
        );
        expect(plain).toEqual([]);
    });
});

describe("links of the three clouds", () => {
    it.each(["LINKSPAN-0008", "LINKSPAN-0010"])("hold %s", (id) => {
        const made = graph("a mesh of the three clouds, tier nat");
        const links = made.resources.filter(({ type }) => type.endsWith(":ClusterLink"));
        expect(links).toHaveLength(6);
        const [rule] = rules.filter((one) => one.id === id);
        expect(links.flatMap((link) => rule?.check(link, made))).toEqual([]);
    });
});

describe("the sites", () => {
    it("make something for every rule to look at, but for those that are listed", () => {
        const unasked = rules.filter(({ types }) => [...graphs.values()].every((one) => one.ofTypes(...types).length === 0));
        expect(unasked.map(({ id }) => id).sort()).toEqual([...notMade].sort());
    });

    it("keep the secrets that this test looks for where they belong: in the clouds' secret stores", () => {
        const holders = [...graphs.values()].flatMap(({ resources }) =>
            resources.filter(({ props }) => textsOf(props).some(([, text]) => text.includes("S3cret"))).map(({ type }) => type),
        );
        expect([...new Set(holders)].sort()).toEqual(
            expect.arrayContaining([
                "aws:ssm/parameter:Parameter",
                "azure-native:keyvault:Secret",
                "gcp:secretmanager/secretVersion:SecretVersion",
            ]),
        );
    });

    it.each(exceptions.map((exception) => [exceptionText(exception), exception] as const))(
        "need the exception %s",
        (_text, exception) => {
            expect(violations().some((one) => one.exception === exception)).toBe(true);
        },
    );

    it("need no exception from a rule about links, secrets in boot data, identities, or the REST API", () => {
        const excepted = violations().filter((one) => one.exception !== undefined);
        expect(excepted.length).toBeGreaterThan(0);
        const areas = new Set(excepted.map(({ rule }) => rule.area));
        expect([...areas].sort()).toEqual(["loadBalancers", "logs", "machines", "network", "secrets"]);
        expect(
            [...new Set(excepted.filter(({ rule }) => rule.severity === "CRITICAL").map(({ rule }) => rule.id))].sort(),
        ).toEqual(["AWS-0104", "AZU-0047", "AZU-0051", "GCP-0027", "GCP-0035", "LINKSPAN-0023"]);
    });
});

/** Every text in a value, by its path. */
function textsOf(value: unknown, path = ""): readonly (readonly [path: string, text: string])[] {
    if (typeof value === "string") {
        return [[path, value]];
    }
    if (typeof value !== "object" || value === null) {
        return [];
    }
    return Object.entries(value).flatMap(([key, inner]) => textsOf(inner, path === "" ? key : `${path}.${key}`));
}
