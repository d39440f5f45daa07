import type { LookupAddress, LookupAllOptions } from "node:dns";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { json, ScriptedApi } from "../../test/support/scriptedApi.js";
import { testAuthority } from "../../test/support/testCertificates.js";
import { EmqxClient, UnknownOutcomeError } from "./client.js";

const found = vi.hoisted(() => ({ addresses: [] as LookupAddress[], asked: [] as string[] }));

vi.mock("node:dns", async (original) => ({
    ...(await original<typeof import("node:dns")>()),
    lookup: (host: string, _: LookupAllOptions, done: (error: null, addresses: LookupAddress[]) => void) => {
        found.asked.push(host);
        done(null, found.addresses);
    },
}));

const host = "emqx.lab.example";
let api: ScriptedApi;
let ca: string;

beforeEach(async () => {
    found.asked = [];
    const authority = await testAuthority();
    ca = authority.ca;
    api = (await ScriptedApi.start(await authority.link(host))).always(json(200, { name: "aws", nodes: [], self: "n" }));
});

afterEach(() => api.stop());

async function ask<T>(call: (client: EmqxClient) => Promise<T>): Promise<T> {
    const client = new EmqxClient({ url: `https://${host}:${api.port}`, key: "k", secret: "s3cret-value", ca });
    try {
        return await call(client);
    } finally {
        client.close();
    }
}

describe("where the host name leads", () => {
    test("its address is dialled", async () => {
        found.addresses = [{ address: "127.0.0.1", family: 4 }];
        expect((await ask((client) => client.cluster())).name).toBe("aws");
        expect(found.asked).toEqual([host]);
    });

    test("the next address is dialled where the first refuses", async () => {
        found.addresses = [
            { address: "::1", family: 6 },
            { address: "127.0.0.1", family: 4 },
        ];
        expect((await ask((client) => client.cluster())).name).toBe("aws");
    });

    test.each([
        ["169.254.169.254", 4],
        ["169.254.170.2", 4],
        ["168.63.129.16", 4],
        ["fd00:ec2::254", 6],
        ["fe80::1", 6],
        ["::ffff:169.254.169.254", 6],
        ["0.0.0.0", 4],
    ])("%s is refused, also beside a good one, and nothing is sent", async (address, family) => {
        found.addresses = [
            { address: "127.0.0.1", family: 4 },
            { address, family },
        ];
        for (const call of [(client: EmqxClient) => client.cluster(), (client: EmqxClient) => client.deleteLink("x")]) {
            const error: unknown = await ask<unknown>(call).catch((thrown: unknown) => thrown);
            expect(String(error)).toMatch(/ADDRESS_REFUSED the name leads to a link-local or metadata address\. Set api\.url/);
            expect(error).not.toBeInstanceOf(UnknownOutcomeError);
        }
        expect(found.asked).toHaveLength(2);
        expect(api.connections).toBe(0);
    });

    test("a name that has no address at all is a failure", async () => {
        found.addresses = [];
        await expect(ask((client) => client.cluster())).rejects.toThrow(/ENOTFOUND the host name cannot be resolved/);
        expect(api.connections).toBe(0);
    });
});
