import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startTimeOf } from "../../../src/local/broker/processIdentity.js";
import { type LocalBrokerInputs, type LocalBrokerOutputs, localBrokerProvider } from "../../../src/local/localBrokerProvider.js";
import { isAlive } from "../../../src/local/processes.js";
import { testAuthority } from "../../support/testCertificates.js";

const { create, diff, read, update, delete: remove } = localBrokerProvider;
const apiSecret = "an api secret of this test";
let folder: string;
let tls: LocalBrokerInputs["tls"];
const running: LocalBrokerOutputs[] = [];

function inputs(more: Partial<LocalBrokerInputs> = {}): LocalBrokerInputs {
    return {
        siteName: "a",
        clusterName: "m-a",
        linkHost: "a.link.m.internal",
        stateDir: join(folder, "m", "a"),
        namesDir: join(folder, "m", ".names"),
        bind: "127.0.0.1",
        ports: { mqtts: 0, links: 0, api: 0 },
        version: "5.10.3",
        tls,
        apiKey: "key",
        apiSecret,
        users: [{ username: "device", password: "a password of this test" }],
        ...more,
    };
}

async function started(more: Partial<LocalBrokerInputs> = {}): Promise<LocalBrokerOutputs> {
    const { outs } = await create(inputs(more));
    running.push(outs);
    return outs;
}

/** State as it would be of a broker that is this test's own process: alive without starting one. */
const alive = (): LocalBrokerOutputs => ({
    ...inputs(),
    pid: process.pid,
    startTime: startTimeOf(process.pid) ?? "",
    boundPorts: { mqtts: 1, links: 2, api: 3 },
    folder: "/nowhere",
});

beforeAll(async () => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), "linkspan-provider-")));
    const lease = join(folder, "lease.json");
    writeFileSync(lease, JSON.stringify({ pid: process.pid, startTime: startTimeOf(process.pid) }));
    process.env.LINKSPAN_LEASE_FILE = lease;
    const authority = await testAuthority();
    const server = await authority.server();
    const link = await authority.link("a.link.m.internal");
    tls = { ca: authority.ca, serverCert: server.cert, serverKey: server.key, linkCert: link.cert, linkKey: link.key };
});
afterEach(async () => {
    for (const outs of running.splice(0)) {
        await remove?.("m-a", outs);
    }
});
afterAll(() => {
    delete process.env.LINKSPAN_LEASE_FILE;
    rmSync(folder, { recursive: true, force: true });
});

describe("diff of a local broker", () => {
    it("sees nothing where the process lives and nothing changed", async () => {
        expect(await diff("m-a", alive(), inputs())).toEqual({ changes: false });
    });

    it("sees a dead process without a refresh", async () => {
        expect(await diff("m-a", { ...alive(), pid: 0 }, inputs())).toEqual({ changes: true });
        expect(await diff("m-a", { ...alive(), startTime: "of another process that had the pid" }, inputs())).toEqual({
            changes: true,
        });
    });

    it("does not count where progress is shown", async () => {
        expect(await diff("m-a", { ...alive(), progressUrn: "urn:one" }, inputs({ progressUrn: "urn:two" }))).toEqual({
            changes: false,
        });
    });

    it.each<[string, Partial<LocalBrokerInputs>]>([
        ["a password", { users: [{ username: "device", password: "another" }] }],
        ["the API's secret", { apiSecret: "another" }],
        ["a port", { ports: { mqtts: 18883, links: 0, api: 0 } }],
    ])("restarts for %s", async (_what, change) => {
        expect(await diff("m-a", alive(), inputs(change))).toEqual({ changes: true });
    });

    it("replaces the broker for another cluster name, the old one first: both would want its folder", async () => {
        expect(await diff("m-a", alive(), inputs({ clusterName: "m-b" }))).toEqual({
            changes: true,
            replaces: ["clusterName"],
            deleteBeforeReplace: true,
        });
    });
});

describe("the life of a local broker", () => {
    it("starts, is seen dead, starts again on its ports, and goes without a trace", async () => {
        const first = await started();
        expect(isAlive(first)).toBe(true);
        expect(await read?.("m-a", first)).toEqual({ outs: first });

        process.kill(first.pid, "SIGKILL");
        await expect.poll(() => isAlive(first)).toBe(false);
        const gone = await read?.("m-a", first);
        expect(gone?.outs.pid).toBe(0);

        const second = (await update?.("m-a", first, inputs())) as LocalBrokerOutputs;
        running.splice(0, running.length, second);
        expect(isAlive(second)).toBe(true);
        expect(second.boundPorts).toEqual(first.boundPorts);

        await remove?.("m-a", second);
        running.splice(0);
        expect(isAlive(second)).toBe(false);
        expect(existsSync(join(folder, "m"))).toBe(false);
    });

    it("takes over what a killed run has started: one process, not two", async () => {
        const lost = await started();
        const { outs } = await create(inputs());
        running.push(outs);
        expect(isAlive(lost)).toBe(false);
        expect(isAlive(outs)).toBe(true);
        expect(outs.boundPorts).toEqual(lost.boundPorts);
    });

    it("keeps its files to its user, and no secret in plain text where a hash will do", async () => {
        const outs = await started();
        const file = join(outs.folder, "config.json");
        expect(statSync(outs.folder).mode & 0o077).toBe(0);
        expect(statSync(file).mode & 0o077).toBe(0);
        const text = readFileSync(file, "utf8");
        expect(text).toContain("m-a");
        expect(text).not.toContain(apiSecret);
        expect(text).not.toContain("a password of this test");
    });

    it("names the port that is taken, and leaves no process", async () => {
        const server = createServer();
        await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
        const address = server.address();
        const taken = typeof address === "object" && address !== null ? address.port : 0;
        await expect(create(inputs({ ports: { mqtts: taken, links: 0, api: 0 } }))).rejects.toThrow(
            `cannot start the local broker of site a at 127.0.0.1: ports.mqtts: 127.0.0.1:${taken} is in use`,
        );
        await new Promise((done) => server.close(done));
    });

    it("says what a broker said that could not start, without its key", async () => {
        const broken = inputs({ tls: { ...tls, serverKey: tls.linkKey } });
        await expect(create(broken)).rejects.toThrow(/cannot start the local broker of site a at 127\.0\.0\.1: .+broker\.log/);
        await create(broken).catch((error: Error) => expect(error.message).not.toContain("PRIVATE KEY"));
        const said = JSON.parse(readFileSync(join(broken.stateDir, "ready.json"), "utf8"));
        expect(isAlive(said)).toBe(false);
    });
});
