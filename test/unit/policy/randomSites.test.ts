import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BrokerArgs, CloudSiteArgs } from "../../../src/cluster/args.js";
import { InputError } from "../../../src/errors.js";
import { exceptions } from "../../../src/policy/exceptions.js";
import { violationsOf } from "../../../src/policy/rule.js";
import { rules } from "../../../src/policy/rules.js";
import { policyGraph } from "../../support/policyGraph.js";
import { record } from "../../support/recorder.js";
import { answers, sites } from "./cloudSites.js";

const grave = rules.filter(({ severity }) => severity === "CRITICAL" || severity === "HIGH");

/** A range of anybody's: private or public, /8 or smaller. */
const range = fc.tuple(fc.integer({ min: 8, max: 32 }), fc.nat(2 ** 32 - 1)).map(([prefix, address]) => {
    const base = address - (address % 2 ** (32 - prefix));
    return `${[24, 16, 8, 0].map((shift) => Math.floor(base / 2 ** shift) % 256).join(".")}/${prefix}`;
});
const name = fc.stringMatching(/^[a-z]([a-z0-9]|-[a-z0-9]){0,9}$/);
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 });

const broker = (nodes: fc.Arbitrary<number>): fc.Arbitrary<BrokerArgs> =>
    fc.record({
        nodes: optional(nodes),
        architecture: optional(fc.constantFrom("arm64", "x86_64")),
        dataDiskGb: optional(fc.integer({ min: 10, max: 16_384 })),
        protectData: optional(fc.boolean()),
        sessionQueueMessages: optional(fc.integer({ min: 1, max: 1_000_000 })),
        imageRelease: optional(fc.constantFrom("1", "2026-11")),
    });

/** Arguments that every cloud site takes. */
const valid: fc.Arbitrary<CloudSiteArgs> = fc
    .constantFrom("community" as const, "evaluation" as const, "key" as const)
    .chain((license) =>
        fc.record({
            siteNumber: fc.integer({ min: 1, max: 120 }),
            meshId: optional(name),
            cidr: optional(
                fc.tuple(fc.nat(255), fc.integer({ min: 16, max: 20 })).map(([second, prefix]) => `10.${second}.0.0/${prefix}`),
            ),
            license: fc.constant(license === "key" ? pulumi.secret("TElDRU5DRQ==") : license),
            broker: optional(broker(license === "community" ? fc.constant(1) : fc.integer({ min: 1, max: 5 }))),
            // The private one lets `reach: "direct"` be drawn.
            adminCidrs: fc.array(range, { maxLength: 4 }).map((ranges) => ["192.168.7.0/24", ...ranges]),
            clientCidrs: optional(fc.oneof(fc.constant("anywhere" as const), fc.array(range, { minLength: 1, maxLength: 4 }))),
            reach: optional(fc.constantFrom("public" as const, "direct" as const, { proxy: "socks5://127.0.0.1:1080" })),
            users: optional(
                fc
                    .uniqueArray(name, { maxLength: 3 })
                    .map((names) => names.map((username) => ({ username, password: pulumi.secret(`pw-${username}`) }))),
            ),
            clientNames: optional(
                fc.uniqueArray(name, { maxLength: 2 }).map((names) => names.map((one) => `${one}.example.com`)),
            ),
            tags: optional(fc.dictionary(name, name, { maxKeys: 4 })),
        }),
    );

/** Arguments that one cloud adds. */
const clouds: Readonly<Record<keyof typeof sites, fc.Arbitrary<Record<string, unknown>>>> = {
    aws: fc.record({
        region: fc.constantFrom("eu-central-1", "us-east-1"),
        egress: optional(fc.constantFrom("single", "perZone")),
    }),
    gcp: fc.record({
        region: fc.constantFrom("europe-west4", "us-central1"),
        egressAddressCount: optional(fc.integer({ min: 1, max: 3 })),
    }),
    azure: fc.record({
        location: fc.constantFrom("westeurope", "eastus2"),
        encryptionAtHost: optional(fc.boolean()),
        flowLogs: optional(fc.constantFrom(false, { retentionDays: 30 })),
    }),
};

/** Leaves out what is undefined: `exactOptionalPropertyTypes` tells the two apart. */
const given = <T extends object>(args: T): Partial<T> =>
    Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined)) as Partial<T>;

/** Every argument of any cloud's site. */
const argumentNames = [
    ...[
        "siteNumber",
        "meshId",
        "identity",
        "cidr",
        "license",
        "broker",
        "adminCidrs",
        "clientCidrs",
        "reach",
        "users",
        "clientNames",
        "tags",
    ],
    ...[
        "region",
        "location",
        "zones",
        "network",
        "dns",
        "egress",
        "egressAddressCount",
        "flowLogs",
        "kmsKeyId",
        "encryptionAtHost",
    ],
];
/** What nobody should put into one. */
const wrong = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom(
        null,
        "",
        0,
        -1,
        "0.0.0.0/0",
        [],
        {},
        [null],
        [""],
        [0],
        { zones: {} },
        { cidr: "10.0.0.0/16" },
        { nodes: "3" },
    ),
);

describe.each(["aws", "gcp", "azure"] as const)("random %s sites", (cloud) => {
    const args = fc.tuple(valid, clouds[cloud]).map(([shared, own]) => given({ ...shared, ...own }));

    it("hold every CRITICAL and HIGH rule", async () => {
        await fc.assert(
            fc.asyncProperty(args, async (one) => {
                const graph = policyGraph(await record(() => void sites[cloud](one, "site"), answers));
                expect(graph.resources.length).toBeGreaterThan(20);
                const broken = violationsOf(graph, grave, exceptions)
                    .filter(({ exception }) => exception === undefined)
                    .map(({ rule, resource, message }) => `${rule.id} ${resource.name}: ${message}`);
                expect(broken).toEqual([]);
            }),
            { numRuns: 4 },
        );
    }, 600_000);

    it("throw nothing but a line that begins with an argument's name, whatever is put into one", async () => {
        await fc.assert(
            fc.asyncProperty(args, fc.constantFrom(...argumentNames), wrong, async (one, argument, value) => {
                const outcome = await record(() => void sites[cloud]({ ...one, [argument]: value }, "site"), answers).then(
                    () => "made",
                    (error: unknown) =>
                        error instanceof InputError || pulumi.ResourceError.isInstance(error) ? error.message : error,
                );
                expect(outcome).toMatch(new RegExp(`^(made$|(${argumentNames.join("|")})[^ ]*( [^ ]+)*: )`));
            }),
            { numRuns: 12 },
        );
    }, 600_000);
});
