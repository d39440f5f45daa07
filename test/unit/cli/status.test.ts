import { describe, expect, it } from "vitest";
import { parseStackState } from "../../../src/cli/stackState.js";
import { type ReadEnd, status } from "../../../src/cli/statusCommand.js";
import { exportedStack, type FixtureOptions, keptIo, secrets } from "./cliFixture.js";

const sites = ["aws", "gcp"].map((site, index) => ({ site, api: `https://127.0.0.1:${index + 1}`, mqttPort: 1 }));
const proofs = [
    {
        from: "aws",
        to: "gcp",
        status: "proven",
        sent: 100,
        delivered: 100,
        lost: 0,
        provenAt: "2027-03-04T05:00:00.000Z",
        runId: "r",
    },
    {
        from: "gcp",
        to: "aws",
        status: "proven",
        sent: 100,
        delivered: 100,
        lost: 0,
        provenAt: "2027-03-03T05:00:00.000Z",
        runId: "r",
    },
];
const stateOf = (more: Partial<FixtureOptions> = {}) => parseStackState(exportedStack({ sites, results: proofs, ...more }));
const well: ReadEnd = async (_api, site) => ({
    status: "connected",
    topics: ["fleet/#"],
    routes: site === "aws" ? 3 : 5,
    queuing: 0,
    dropped: 0,
    failed: 0,
});

describe("linkspan status", () => {
    it("shows both ends of each direction and the age of the last proof", async () => {
        const io = keptIo();
        expect(await status(stateOf(), { json: false }, io, well)).toBe(0);
        const lines = io.printed.out.split("\n");
        expect(lines[0]).toMatch(
            /^direction +sending end +receiving end +routes +queued +dropped +failed +last proof +arrived +age$/,
        );
        expect(lines[1]).toMatch(/^aws -> gcp +connected +connected +3 +0 +0 +0 +proven +100\/100 +6 min$/);
        expect(lines[2]).toMatch(/^gcp -> aws +connected +connected +5 +0 +0 +0 +proven +100\/100 +24 h$/);
        expect(io.printed.out).toContain("may still carry nothing");
    });

    it("gives programs the same as one document", async () => {
        const io = keptIo();
        expect(await status(stateOf(), { json: true }, io, well)).toBe(0);
        expect(JSON.parse(io.printed.out)).toEqual({
            ok: true,
            directions: [
                {
                    from: "aws",
                    to: "gcp",
                    sender: {
                        site: "aws",
                        link: "m-gcp",
                        status: "connected",
                        topics: ["fleet/#"],
                        routes: 3,
                        queuing: 0,
                        dropped: 0,
                        failed: 0,
                    },
                    receiver: {
                        site: "gcp",
                        link: "m-aws",
                        status: "connected",
                        topics: ["fleet/#"],
                        routes: 5,
                        queuing: 0,
                        dropped: 0,
                        failed: 0,
                    },
                    proof: { ...proofs[0], ageSeconds: 367 },
                },
                expect.objectContaining({ from: "gcp", to: "aws" }),
            ],
        });
        for (const secret of secrets) {
            expect(io.printed.out).not.toContain(secret);
        }
    });

    it.each([
        ["a link that is down", async () => ({ status: "disconnected" }), 1, /disconnected/],
        ["a link that is off", async () => ({ status: "disabled" }), 1, /disabled/],
        ["a link that is gone", async () => ({ status: "missing" }), 1, /missing/],
        [
            "an API that does not answer",
            async () => ({ status: "unreadable", error: "cannot read the link at x: refused" }),
            3,
            /error: cannot read the link at x: refused/,
        ],
    ] as [string, ReadEnd, number, RegExp][])("shows %s, and says so by its exit code", async (_name, onGcp, code, text) => {
        const io = keptIo();
        const read: ReadEnd = (api, site, link, seconds) =>
            site === "gcp" ? onGcp(api, site, link, seconds) : well(api, site, link, seconds);
        expect(await status(stateOf(), { json: false }, io, read)).toBe(code);
        expect(io.printed.out).toMatch(text);
    });

    it("fails where the last proof failed, though the links say connected", async () => {
        const io = keptIo();
        const results = [{ ...proofs[0], status: "failed", delivered: 97, lost: 3 }];
        expect(await status(stateOf({ results }), { json: false }, io, well)).toBe(1);
        expect(io.printed.out).toMatch(/failed +97\/100/);
        expect(io.printed.out).toMatch(/gcp -> aws .* - +- +never/);
    });

    it("shows the direction whose link the stack does not have", async () => {
        const io = keptIo();
        const asked: string[] = [];
        const read: ReadEnd = async (api, site, link, seconds) => {
            asked.push(`${site} ${link}`);
            return await well(api, site, link, seconds);
        };
        expect(await status(stateOf({ links: [["aws", "gcp"]] }), { json: false }, io, read)).toBe(1);
        expect(asked).toEqual(["aws m-gcp"]);
        expect(io.printed.out).toMatch(/aws -> gcp +connected +missing/);
    });

    it("passes the timeout on", async () => {
        const seconds: number[] = [];
        await status(stateOf(), { json: true, timeoutSeconds: 3 }, keptIo(), async (_api, _site, _link, timeout) => {
            seconds.push(timeout);
            return { status: "connected" };
        });
        expect(seconds).toEqual([3, 3]);
    });

    it("does not call a stack without links fine", async () => {
        await expect(status(stateOf({ links: [] }), { json: false }, keptIo(), well)).rejects.toMatchObject({ exitCode: 3 });
    });
});
