import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { until } from "../support/localBroker.js";
import { cannot, framesOf, type NetworkOutputs, NetworkProject } from "../support/localNetwork.js";
import { type Counts, NumberedTraffic } from "../support/numberedTraffic.js";
import { type ExportedSite, StackSite } from "../support/stackSite.js";

const gateways = ["vpn-1-0", "vpn-1-1"] as const;
/** Rules of the internet for one test; what is there already stays. */
const extra = (rule: string) => `table ip fault { chain pass { type filter hook forward priority -10; ${rule} }; }`;

describe("tier vpn of local sites of level network", () => {
    let project: NetworkProject;
    let sites: StackSite[] = [];

    beforeAll(async () => {
        project = await NetworkProject.create();
        if ((await cannot("ipsec")) === undefined) {
            await project.pulumi.up("-c", "tier=vpn");
            sites = (await project.pulumi.outputs<NetworkOutputs<ExportedSite>>()).sites.map((site) => new StackSite(site));
        }
    });
    afterAll(async () => {
        await Promise.all(sites.map((site) => site.close()));
        await project.dispose();
    });
    beforeEach(async ({ skip }) => {
        skip((await cannot("ipsec")) !== undefined, "this machine cannot");
    });

    /** Messages both ways while something happens. */
    async function under(name: string, work: () => Promise<void>, payloadBytes = 256): Promise<readonly Counts[]> {
        const [a, b] = sites;
        if (a === undefined || b === undefined) {
            throw new Error("the stack has no sites");
        }
        const options = { count: 100_000, rate: 100, drainMs: 20_000, payloadBytes };
        const topic = `fleet/${name.replaceAll(" ", "-")}`;
        const both = [
            await NumberedTraffic.between(a, b, { ...options, topic: `${topic}/b` }),
            await NumberedTraffic.between(b, a, { ...options, topic: `${topic}/a` }),
        ];
        for (const traffic of both) {
            traffic.start();
        }
        try {
            await until(() => both.every(({ delivered }) => delivered > 100), "traffic flows", 30_000);
            await work();
            const before = both.map(({ delivered }) => delivered);
            const again = () => both.every(({ delivered }, index) => delivered > (before[index] ?? 0) + 100);
            await until(again, "traffic flows again", 30_000);
        } finally {
            for (const traffic of both) {
                traffic.stop();
            }
        }
        return Promise.all(both.map((traffic, index) => traffic.finish(`${name} ${index === 0 ? "a->b" : "b->a"}`)));
    }

    const swanctl = async (namespace: string, ...args: string[]) => {
        const { code, output } = await project.inside(
            namespace,
            "swanctl",
            ...args,
            "--uri",
            `unix:///run/linkspan/${namespace}/charon.vici`,
        );
        expect(code, output).toBe(0);
        return output;
    };

    test("keys are renewed under traffic: of the tunnels and of what is in them, nothing is lost", async () => {
        const spis = async () =>
            (await Promise.all(gateways.map((each) => swanctl(each, "--list-sas")))).join().match(/out\s+[0-9a-f]{8}/g);
        const before = await spis();
        const counts = await under("keys renewed", async () => {
            for (const gateway of gateways) {
                const tunnel = `b-${gateway.at(-1)}`;
                for (const child of [tunnel, `${tunnel}-routes`]) {
                    await swanctl(gateway, "--rekey", "--child", child);
                    await sleep(1_000);
                }
                await swanctl(gateway, "--rekey", "--ike", tunnel);
                await sleep(1_000);
            }
        });
        // What was renewed stays listed for a while, for packets that are still on their way.
        const renewed = async () => {
            const after = await spis();
            return after?.length === before?.length && after?.every((spi) => before?.includes(spi) !== true) === true;
        };
        expect(before).toHaveLength(4);
        await until(renewed, "every key is another one", 20_000);
        for (const each of counts) {
            expect(each).toMatchObject({ lost: 0 });
        }
    });

    test("F10 of the internet between the sites: one packet in fifty is dropped, no message is", async () => {
        expect((await project.inside("internet", "nft", extra("numgen random mod 50 0 drop;"))).output).toBe("");
        try {
            for (const each of await under("F10 2 % of packets lost, tier vpn,", () => sleep(8_000))) {
                expect(each).toMatchObject({ lost: 0 });
            }
            const { output } = await project.inside("internet", "nft", "list", "table", "ip", "fault");
            expect(output).toContain("numgen random mod 50 0 drop");
        } finally {
            await project.inside("internet", "nft", "delete", "table", "ip", "fault");
        }
    });

    test("F11 large messages through tunnels: segments are clamped, and a narrower internet that says so carries them", async () => {
        const seen = await project.capture(async () => {
            for (const each of await under("F11 20 kB messages, tier vpn,", () => sleep(2_000), 20_000)) {
                expect(each).toMatchObject({ lost: 0 });
            }
        });
        expect(Math.max(...framesOf(seen).map(({ length }) => length))).toBeLessThanOrEqual(1_514);
        for (const [range, name] of [
            ["198.18.1.4/30", "vpn1-0"],
            ["198.18.1.8/30", "vpn1-1"],
            ["198.18.2.4/30", "vpn2-0"],
            ["198.18.2.8/30", "vpn2-1"],
        ] as const) {
            const route = ["route", "replace", range, "dev", name, "scope", "link", "mtu", "lock", "1400"];
            expect((await project.inside("internet", "ip", ...route)).output).toBe("");
        }
        for (const each of await under("F11 20 kB messages, path of 1400 bytes, tier vpn,", () => sleep(4_000), 20_000)) {
            expect(each).toMatchObject({ lost: 0 });
        }
    });
});
