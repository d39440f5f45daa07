import { createHash, randomBytes } from "node:crypto";
import type { RequestListener, ServerResponse } from "node:http";
import { createServer as createPlain } from "node:http";
import { createServer } from "node:https";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { listen } from "../../test/support/probeBrokers.js";
import { type TestAuthority, testAuthority } from "../../test/support/testCertificates.js";
import { lazyProvider, unknownValue } from "../dynamic/provider.js";
import { pin } from "../provider.js";
import { type DownloadLimits, downloadLimits } from "./packageDigest.js";
import { makePackagePinProvider } from "./packagePinProvider.js";

const failureOf = (work: Promise<unknown>) =>
    work.then(
        () => "it did not fail",
        (error: Error) => error.message,
    );

describe("a pin", () => {
    const made = { value: "ami-1", release: "1", pinned: "ami-1" };

    it("keeps its first value, also while another is not known, until the release changes", async () => {
        expect(await pin.create({ value: "ami-1", release: "1" })).toEqual({ id: "1", outs: made });
        for (const value of ["ami-2", unknownValue]) {
            expect(await pin.diff?.("1", made, { value, release: "1" })).toEqual({ changes: false });
        }
        expect(await pin.diff?.("1", made, { value: "ami-2", release: "2" })).toEqual({ changes: true });
        expect((await pin.update?.("1", made, { value: "ami-2", release: "2" }))?.outs).toEqual({
            value: "ami-2",
            release: "2",
            pinned: "ami-2",
        });
        expect(await pin.read?.("1", made)).toEqual({ id: "1", props: made });
    });

    it("refuses what is no text, and does not keep what is not known", async () => {
        expect((await pin.check?.({}, { value: "", release: "1" }))?.failures).toEqual([
            { property: "release", reason: expect.stringMatching(/^value: "" is not possible/) },
        ]);
        expect((await pin.check?.({}, { value: "x", release: 3 }))?.failures).toEqual([
            { property: "release", reason: expect.stringMatching(/^release: 3 is not possible/) },
        ]);
        expect((await pin.check?.({}, { value: unknownValue, release: "1" }))?.failures).toEqual([]);
        expect(await failureOf(pin.create({ value: unknownValue, release: "1" }))).toMatch(/not known yet/);
    });
});

describe("a pinned package", () => {
    const deb = Buffer.concat([Buffer.from("!<arch>\n"), randomBytes(200_000)]);
    const sha256 = createHash("sha256").update(deb).digest("hex");
    let authority: TestAuthority;
    let asked: { path: string; headers: Record<string, unknown> }[] = [];
    const ends: (() => Promise<unknown>)[] = [];

    beforeAll(async () => {
        authority = await testAuthority();
    });
    afterEach(async () => {
        await Promise.all(ends.splice(0).map((end) => end()));
        asked = [];
    });

    const send = (response: ServerResponse, body: Buffer = deb) =>
        response.writeHead(200, { "content-length": String(body.length) }).end(body);
    const to = (response: ServerResponse, location: string) => response.writeHead(302, { location }).end();

    /** A server on localhost; by path what it answers. */
    async function server(routes: Readonly<Record<string, (response: ServerResponse) => void>>): Promise<string> {
        const handle: RequestListener = (request, response) => {
            asked.push({ path: request.url ?? "", headers: request.headers });
            const route = routes[request.url ?? ""];
            if (route === undefined) {
                response.writeHead(404).end("<html>none</html>");
            } else {
                route(response);
            }
        };
        const made = createServer(await authority.server(), handle);
        const port = await listen(made);
        ends.push(() => {
            made.closeAllConnections();
            return new Promise((resolve) => made.close(resolve));
        });
        return `https://localhost:${port}`;
    }

    function packagePin(more: Partial<DownloadLimits> = {}) {
        return lazyProvider(async () =>
            makePackagePinProvider({ ...downloadLimits, attempts: 1, ca: authority.ca, allowLoopback: true, ...more }),
        );
    }
    const take = (url: string, more: Partial<DownloadLimits> = {}) => packagePin(more).create({ url });

    it("is downloaded once, without credentials, for its SHA-256 and size", async () => {
        const base = await server({ "/emqx.deb": send });
        expect(await take(`${base}/emqx.deb`)).toEqual({
            id: sha256,
            outs: { url: `${base}/emqx.deb`, sha256, bytes: deb.length },
        });
        expect(asked).toHaveLength(1);
        expect(asked[0]?.headers).not.toHaveProperty("authorization");
        expect(asked[0]?.headers).not.toHaveProperty("cookie");
    });

    it("is kept from then on: only another address takes it anew", async () => {
        const base = await server({ "/b.deb": send });
        const olds = { url: "https://h.example/a.deb", sha256: "a".repeat(64), bytes: 1 };
        const kind = packagePin();
        expect(await kind.diff?.("id", olds, { url: olds.url })).toEqual({ changes: false });
        expect(await kind.read?.("id", olds)).toEqual({ id: "id", props: olds });
        expect(await kind.diff?.("id", olds, { url: `${base}/b.deb` })).toEqual({ changes: true });
        expect((await kind.update?.("id", olds, { url: `${base}/b.deb` }))?.outs).toMatchObject({ sha256 });
    });

    it("follows redirects, to other hosts and without an ending, at most five", async () => {
        const other = await server({ "/signed?token=t": send });
        const routes: Record<string, (response: ServerResponse) => void> = {};
        for (let step = 0; step < 7; step++) {
            routes[`/${step}.deb`] = (response) => to(response, step === 6 ? `${other}/signed?token=t` : `/${step + 1}.deb`);
        }
        const base = await server(routes);
        expect((await take(`${base}/2.deb`)).outs).toMatchObject({ sha256 });
        expect(await failureOf(take(`${base}/1.deb`))).toMatch(/redirects more than 5 times/);
    });

    it.each([
        ["plain http", "http://localhost:1/x.deb", /no plain https:\/\/ address/],
        ["a file", "file:///etc/passwd", /no plain https/],
        ["a login", "https://user:s3cret@localhost/x.deb", /leads to "https:\/\/\*\*\*", which is no plain https/],
        ["a metadata service", "https://169.254.169.254/latest/x.deb", /link-local/],
        ["nothing", "https://", /no plain https/],
    ])("does not follow a redirect to %s", async (_what, location, message) => {
        const base = await server({ "/x.deb": (response) => to(response, location) });
        const text = await failureOf(take(`${base}/x.deb`));
        expect(text).toMatch(message);
        expect(text).not.toContain("s3cret");
        expect(asked).toHaveLength(1);
    });

    it("does not leave the network's own hosts to a redirect", async () => {
        const base = await server({ "/x.deb": send });
        expect(await failureOf(take(`${base}/x.deb`, { allowLoopback: false }))).toMatch(/is the machine itself/);
        expect(asked).toEqual([]);
    });

    it.each([
        ["is missing", (response: ServerResponse) => response.writeHead(404).end(), /it answers 404: there is no such file/],
        [
            "is a page",
            (response: ServerResponse) => send(response, Buffer.from("<html>sign in</html>")),
            /no Debian package but perhaps a page/,
        ],
        ["is empty", (response: ServerResponse) => send(response, Buffer.alloc(0)), /no Debian package/],
        [
            "is encoded",
            (response: ServerResponse) => response.writeHead(200, { "content-encoding": "gzip" }).end(deb),
            /the encoding "gzip"/,
        ],
        [
            "breaks off",
            (response: ServerResponse) => {
                response.writeHead(200, { "content-length": "900000" });
                response.write(deb, () => response.destroy());
            },
            /broke off|ECONNRESET|aborted/,
        ],
        ["never comes", () => {}, /nothing came for 0\.3 s/],
        [
            "stops coming",
            (response: ServerResponse) => {
                response.writeHead(200);
                response.write(deb);
            },
            /nothing came for 0\.3 s/,
        ],
    ] as const)("fails, with what to set instead, when the file %s", async (_what, answer, message) => {
        const base = await server({ "/x.deb": answer });
        const text = await failureOf(take(`${base}/x.deb`, { idleSeconds: 0.3 }));
        expect(text).toMatch(message);
        expect(text).toMatch(/^cannot take the SHA-256 of EMQX's package at https:\/\/localhost:\d+\/x\.deb: /);
        expect(text).toMatch(/Set broker\.package\.url and broker\.package\.sha256/);
    });

    it("is bounded in size, announced or not, and in time", async () => {
        let timer: NodeJS.Timeout | undefined;
        const base = await server({
            "/told.deb": (response) => send(response),
            "/untold.deb": (response) => response.writeHead(200).end(deb),
            "/slow.deb": (response) => {
                response.writeHead(200);
                timer = setInterval(() => response.write("!<arch>\n"), 10);
            },
        });
        const mib = 100_000;
        expect(await failureOf(take(`${base}/told.deb`, { bytes: mib }))).toMatch(/larger than/);
        expect(await failureOf(take(`${base}/untold.deb`, { bytes: mib }))).toMatch(/larger than/);
        expect(await failureOf(take(`${base}/slow.deb`, { totalSeconds: 0.3 }))).toMatch(/not complete within 0\.3 s/);
        clearInterval(timer);
    });

    it("is tried again after a failure that may pass", async () => {
        let tries = 0;
        const base = await server({ "/x.deb": (response) => (++tries < 3 ? response.writeHead(503).end() : send(response)) });
        expect((await take(`${base}/x.deb`, { attempts: 3 })).outs).toMatchObject({ sha256 });
        expect(tries).toBe(3);
    });

    it("is taken from a server with a trusted certificate only", async () => {
        const base = await server({ "/x.deb": send });
        expect(await failureOf(take(`${base}/x.deb`, { ca: (await testAuthority("Another")).ca, attempts: 3 }))).toMatch(
            /UNABLE_TO_VERIFY|SELF_SIGNED|unable to verify|self-signed/,
        );
        const plain = createPlain((_request, response) => response.end("x"));
        const port = await listen(plain);
        ends.push(() => new Promise((resolve) => plain.close(resolve)));
        expect(await failureOf(take(`https://localhost:${port}/x.deb`))).toMatch(/EPROTO|ERR_SSL|wrong version/i);
    });

    it.each([
        ["http://h.example/x.deb", /^url: "http:\/\/h\.example\/x\.deb" is not possible/],
        ["https://u:s3cret@h.example/x.deb?t=s3cret", /^url: "https:\/\/h\.example\/x\.deb" is not possible/],
        ["x", /^url: "x" is not possible/],
    ])("refuses the address %s", async (url, message) => {
        const failures = (await packagePin().check?.({}, { url }))?.failures ?? [];
        expect(failures).toEqual([{ property: "url", reason: expect.stringMatching(message) }]);
        expect(JSON.stringify(failures)).not.toContain("s3cret");
    });

    it("is not taken from an address that is not known yet", async () => {
        expect((await packagePin().check?.({}, { url: unknownValue }))?.failures).toEqual([]);
        expect(await failureOf(take(unknownValue))).toMatch(/not known yet/);
    });
});
