import { afterEach, describe, expect, it, vi } from "vitest";
import { bridge, type ProbeBroker, startProbeBroker } from "../../test/support/probeBrokers.js";
import { IncompleteError, lazyProvider, unknownValue } from "../dynamic/provider.js";
import { connectError } from "./connectError.js";
import type { DeliveryReport, DirectionReport } from "./deliveryReport.js";
import { runDelivery } from "./deliveryRun.js";
import { makeProbeProvider, type ProbeInputs, type ProbeOutputs, type ProbeWork, probeProvider } from "./probeProvider.js";

const secret = "S3cret-of-the-probe";
const endpoint = (port: number) => ({ host: "127.0.0.1", port, tls: false, username: "probe", password: secret });
const inputs: ProbeInputs = {
    pair: "aws-gcp",
    a: { site: "aws", clusterName: "m-aws", mqtt: endpoint(1), api: { url: "https://127.0.0.1:1", key: "k", secret } },
    b: { site: "gcp", clusterName: "m-gcp", mqtt: endpoint(2) },
    directions: [
        { from: "aws", to: "gcp", topics: ["fleet/#"] },
        { from: "gcp", to: "aws", topics: ["fleet/#"] },
    ],
    progressUrn: "urn:one",
};

function direction(from: string, to: string, more: Partial<DirectionReport> = {}): DirectionReport {
    return {
        from,
        to,
        sent: 100,
        acknowledged: 100,
        delivered: 100,
        lost: 0,
        lostNumbers: [],
        duplicated: 0,
        outOfOrder: 0,
        qosDowngraded: 0,
        p50Ms: 1,
        p99Ms: 2,
        maxMs: 3,
        firstArrivalMs: 4,
        topics: [{ filter: "fleet/#", topic: "fleet/linkspan-probe/r/x" }],
        silentFilters: [],
        ...more,
    };
}

function report(...directions: DirectionReport[]): DeliveryReport {
    return { runId: "r", startedAt: "2027-01-01T00:00:00.000Z", endedAt: "2027-01-01T00:00:01.000Z", directions };
}

const fine = report(direction("aws", "gcp"), direction("gcp", "aws"));
const lossy = report(direction("aws", "gcp"), direction("gcp", "aws", { delivered: 97, lost: 3, lostNumbers: ["4", "8-9"] }));

function provider(
    run: ProbeWork["run"],
    cause: ProbeWork["cause"] = async () => undefined,
    gaps: ProbeWork["gaps"] = async () => [],
) {
    return makeProbeProvider({ run, cause, gaps });
}

async function failure(work: Promise<unknown>): Promise<Error> {
    return await work.then(
        () => {
            throw new Error("did not fail");
        },
        (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
    );
}

describe("create and update", () => {
    it("run the proof and keep what it found", async () => {
        const run = vi.fn(async () => fine);
        const created = await provider(run).create(inputs);
        expect(created.id).toBe("delivery-aws-gcp");
        expect(created.outs).toMatchObject(inputs);
        expect(created.outs.results).toEqual(
            [
                ["aws", "gcp"],
                ["gcp", "aws"],
            ].map(([from, to]) => ({
                from,
                to,
                status: "proven",
                sent: 100,
                delivered: 100,
                lost: 0,
                duplicated: 0,
                outOfOrder: 0,
                qosDowngraded: 0,
                p50Ms: 1,
                p99Ms: 2,
                maxMs: 3,
                firstArrivalMs: 4,
                provenAt: "2027-01-01T00:00:01.000Z",
                runId: "r",
            })),
        );
        expect(run).toHaveBeenCalledWith(
            expect.objectContaining({ count: 100, rate: 200, qos: 1, payloadBytes: 256, timeoutSeconds: 60 }),
        );
    });

    it("use the settings that are set", async () => {
        const run = vi.fn(async () => fine);
        await provider(run).update?.("id", { ...inputs, results: [] }, { ...inputs, count: 5, rate: 10, qos: 2 });
        expect(run).toHaveBeenCalledWith(expect.objectContaining({ count: 5, rate: 10, qos: 2 }));
    });

    it("fail when a node of a cluster has no connection, whatever arrived through the others, and name it", async () => {
        const gaps = vi.fn(async () => [{ site: "gcp", peer: "aws", nodes: ["emqx@10.2.0.5 (disconnected)"] }]);
        const error = await failure(provider(async () => fine, undefined, gaps).create({ ...inputs, timeoutSeconds: 7 }));
        expect(error).toBeInstanceOf(IncompleteError);
        expect(error.message).toContain(
            "gcp -> aws: 100 of 100 messages arrived through the nodes that the probe is connected to, but gcp has nodes without a connection to aws: " +
                "emqx@10.2.0.5 (disconnected).",
        );
        expect(error).toMatchObject({ properties: { results: [{ status: "failed" }, { status: "failed" }] } });
        expect(gaps).toHaveBeenCalledWith(inputs.a, inputs.b, expect.objectContaining({ seconds: 7 }));
        expect(error.message).not.toContain(secret);
    });

    it("do not look at nodes where messages are lost anyway", async () => {
        const gaps = vi.fn(async () => []);
        await failure(provider(async () => lossy, undefined, gaps).create(inputs));
        expect(gaps).not.toHaveBeenCalled();
    });

    it("fail on a loss in tier vpn with where to look for the tunnels", async () => {
        const told = async (tier: string) =>
            (await failure(provider(async () => lossy).create({ ...inputs, proves: { tier } }))).message;
        expect(await told("vpn")).toContain(
            "Look whether the pair's tunnels are up as well: the mesh's output `paths` says where",
        );
        expect(await told("nat")).not.toContain("tunnels");
    });

    it("fail on a loss with the direction, the counts and the cause, and keep the resource", async () => {
        const cause = vi.fn(async () => "the access rules of gcp deny the link user.");
        for (const attempt of [
            provider(async () => lossy, cause).create(inputs),
            provider(async () => lossy, cause).update?.("id", { ...inputs, results: [] }, inputs),
        ]) {
            const error = await failure(attempt ?? Promise.resolve());
            expect(error).toBeInstanceOf(IncompleteError);
            expect(error.message).toBe(
                'messages are lost between the sites of pair "aws-gcp". gcp -> aws: 97 of 100 messages arrived; lost: number 4, 8-9. ' +
                    "(aws -> gcp: 100 of 100, p50 1 ms, p99 2 ms.) Most likely cause: the access rules of gcp deny the link user. " +
                    "`linkspan doctor` shows every check with its fix.",
            );
            expect(error).toMatchObject({
                id: "delivery-aws-gcp",
                reasons: [error.message],
                properties: { pair: "aws-gcp", results: [{ status: "proven" }, { status: "failed", lost: 3 }] },
            });
        }
        expect(cause).toHaveBeenCalledTimes(2);
    });

    it("tell the loss even where no cause can be found", async () => {
        const broken = provider(
            async () => lossy,
            async () => {
                throw new Error("API is gone");
            },
        );
        expect((await failure(broken.create(inputs))).message).toMatch(/97 of 100 messages arrived; lost: number 4, 8-9\. \(/);
    });

    it("allow a loss up to maxLoss, but never the loss of everything", async () => {
        const some = await provider(async () => lossy).create({ ...inputs, maxLoss: 3 });
        expect(some.outs.results[1]).toMatchObject({ status: "proven", lost: 3 });
        await expect(provider(async () => lossy).create({ ...inputs, maxLoss: 2 })).rejects.toThrow(IncompleteError);
        const none = report(direction("aws", "gcp", { delivered: 0, lost: 100 }), direction("gcp", "aws"));
        await expect(provider(async () => none).create({ ...inputs, maxLoss: 1_000 })).rejects.toThrow(
            /0 of 100 messages arrived/,
        );
    });

    it.each([
        [{ ownEcho: false }, /aws's own broker does not deliver them either.*may not publish to "fleet\/linkspan-probe\/r\/x"/],
        [{ ownEcho: true }, /aws's own broker takes and delivers them, so the link to gcp does not carry them/],
        [{ acknowledged: 60 }, /40 were never acknowledged by aws's broker/],
    ])("say what the run itself saw: %j", async (seen, message) => {
        const none = report(direction("aws", "gcp", { delivered: 0, lost: 100, silentFilters: ["fleet/#"], ...seen }));
        await expect(provider(async () => none).create(inputs)).rejects.toThrow(message);
    });

    it("name the filter that is silent", async () => {
        const half = report(direction("aws", "gcp", { delivered: 50, lost: 50, silentFilters: ["alarms/#"] }));
        await expect(provider(async () => half).create(inputs)).rejects.toThrow(/nothing arrived under "alarms\/#"/);
    });

    it("drop figures that were not measured", async () => {
        const {
            p50Ms: _p50,
            p99Ms: _p99,
            maxMs: _max,
            firstArrivalMs: _first,
            ...bare
        } = direction("aws", "gcp", { delivered: 0, lost: 100 });
        const error = await failure(provider(async () => report(bare)).create(inputs));
        const properties = (error as IncompleteError).properties as ProbeOutputs;
        expect(Object.keys(properties.results[0] ?? {})).not.toContain("p50Ms");
    });
});

describe("a door that this machine cannot use", () => {
    const attempt = {
        site: "gcp",
        host: "10.0.0.1",
        port: 8883,
        tls: true,
        serverName: "x",
        hasCertificate: false,
        stage: "tcp" as const,
        waitedSeconds: 10,
    };
    const unreachable: ProbeWork["run"] = async () => {
        throw connectError(attempt, "ECONNREFUSED");
    };
    const refused: ProbeWork["run"] = async () => {
        throw connectError(attempt, 5);
    };

    it("fails, and the resource keeps the reason", async () => {
        const error = await failure(provider(unreachable).create(inputs));
        expect(error).toBeInstanceOf(IncompleteError);
        expect(error.message).toContain("nothing listens there");
        expect(error).toMatchObject({ properties: { results: [{ status: "unproven" }, { status: "unproven" }] } });
    });

    it("is unproven, never proven, where reach is optional", async () => {
        const { outs } = await provider(unreachable).create({ ...inputs, reach: "optional" });
        expect(outs.results).toEqual([
            { from: "aws", to: "gcp", status: "unproven", reason: expect.stringContaining("nothing listens"), runId: "none" },
            { from: "gcp", to: "aws", status: "unproven", reason: expect.stringContaining("nothing listens"), runId: "none" },
        ]);
    });

    it("fails where the broker refuses, optional or not", async () => {
        await expect(provider(refused).create({ ...inputs, reach: "optional" })).rejects.toThrow(/not authorized/);
    });
});

describe("diff", () => {
    const olds: ProbeOutputs = { ...inputs, results: [] };
    const changes = async (news: object) => (await probeProvider.diff("id", olds, { ...inputs, ...news })).changes;

    it("sees no change where nothing that is proven changed", async () => {
        expect(await changes({})).toBe(false);
        expect(await changes({ progressUrn: "urn:other" })).toBe(false);
        expect(await changes({ __provider: "text" })).toBe(false);
        expect(await changes({ count: undefined })).toBe(false);
        expect(await changes({ b: { mqtt: inputs.b.mqtt, clusterName: "m-gcp", site: "gcp" } })).toBe(false);
    });

    it.each([
        ["a password", { b: { ...inputs.b, mqtt: { ...inputs.b.mqtt, password: "other" } } }],
        ["an address", { b: { ...inputs.b, mqtt: endpoint(3) } }],
        ["the topics", { directions: [{ from: "aws", to: "gcp", topics: ["other/#"] }] }],
        ["the count", { count: 1_000 }],
        ["what it proves", { proves: { tier: "vpn" } }],
        ["prove: always", { prove: "always" }],
        ["a value that is not known yet", { proves: { link: unknownValue } }],
        ["a side that is not known yet", { a: { ...inputs.a, mqtt: unknownValue } }],
    ])("asks for a new proof on %s", async (_name, news) => {
        expect(await changes(news)).toBe(true);
    });

    it("replaces another pair", async () => {
        expect(await probeProvider.diff("id", olds, { ...inputs, pair: "aws-azure" })).toEqual({
            changes: true,
            replaces: ["pair"],
        });
    });
});

describe("check", () => {
    const check = async (news: object) => (await probeProvider.check?.({ ...inputs, ...news }, {}))?.failures;

    it.each([
        [{ count: 0 }, "count", /0 is out of range/],
        [{ rate: 9_999 }, "rate", /9999 is out of range/],
        [{ prove: "sometimes" }, "prove", /"sometimes" is not known/],
        [{ directions: [{ from: "aws", to: "azure", topics: ["x"] }] }, "directions", /no direction of the pair/],
        [{ directions: [{ from: "aws", to: "gcp", topics: [] }] }, "directions", /is empty/],
        [{ b: { ...inputs.b, site: "aws" } }, "pair", /same site/],
    ])("refuses %j by name, and never names a side", async (news, property, reason) => {
        const [found] = (await check(news)) ?? [];
        expect(found).toMatchObject({ property, reason: expect.stringMatching(reason) });
        expect(JSON.stringify(found)).not.toContain(secret);
    });

    it("passes what is right, and waits for what is not known", async () => {
        expect(await check({})).toEqual([]);
        expect(await check({ count: unknownValue, directions: unknownValue })).toEqual([]);
    });
});

describe("the provider on real brokers", () => {
    const brokers: ProbeBroker[] = [];
    afterEach(async () => {
        await Promise.all(brokers.splice(0).map((broker) => broker.stop()));
    });

    it("proves a linked pair, reads it back unchanged, and deletes it without a trace", async () => {
        const a = await startProbeBroker();
        const b = await startProbeBroker();
        brokers.push(a, b);
        bridge(a, b);
        bridge(b, a);
        const shell = lazyProvider(async () => probeProvider);
        const real = {
            ...inputs,
            a: { ...inputs.a, mqtt: a.endpoint },
            b: { ...inputs.b, mqtt: b.endpoint },
            count: 20,
            timeoutSeconds: 5,
        };
        const { id, outs } = await shell.create(real);
        expect(outs.results).toMatchObject([
            { from: "aws", to: "gcp", status: "proven", delivered: 20, lost: 0 },
            { from: "gcp", to: "aws", status: "proven", delivered: 20, lost: 0 },
        ]);
        expect(await shell.read?.(id, outs)).toEqual({ id, props: outs });
        expect(await shell.diff?.(id, outs, real)).toEqual({ changes: false });
        await shell.delete?.(id, outs);
        expect(a.aedes.connectedClients + b.aedes.connectedClients).toBe(0);
    });

    it("fails a pair whose second direction is missing, without any secret in the message", async () => {
        const a = await startProbeBroker();
        const b = await startProbeBroker();
        brokers.push(a, b);
        bridge(a, b);
        const real = makeProbeProvider({ run: runDelivery, cause: async () => undefined, gaps: async () => [] });
        const error = await failure(
            real.create({
                ...inputs,
                a: { ...inputs.a, mqtt: { ...a.endpoint, username: "u", password: secret } },
                b: { ...inputs.b, mqtt: { ...b.endpoint, username: "u", password: secret } },
                count: 20,
                timeoutSeconds: 1,
            }),
        );
        expect(error.message).toMatch(
            /gcp -> aws: 0 of 20 messages arrived within 1 s; gcp's own broker takes and delivers them/,
        );
        expect(error.message).toContain("(aws -> gcp: 20 of 20");
        expect(error.message).not.toContain(secret);
    });
});
