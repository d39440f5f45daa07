import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { InputError } from "../../errors.js";
import { checkBrokerConfig, readBrokerConfig, resolveLimits } from "./config.js";

const pem = "-----BEGIN CERTIFICATE-----";
const hash = "a".repeat(64);
const good = {
    version: 1,
    siteName: "a",
    clusterName: "m-a",
    nodeName: "m-a@127.0.0.1",
    reportedVersion: "5.10.3",
    bind: "127.0.0.1",
    ports: { mqtt: 0, mqtts: 1, links: 2, api: 3 },
    tls: { ca: pem, serverCert: pem, serverKey: pem, linkCert: pem, linkKey: pem },
    api: [{ key: "k", secretHash: hash, role: "administrator" }],
    users: [{ username: "u", passwordHash: hash, salt: "", superuser: false }],
    acl: [{ permission: "allow", action: "all", topics: ["#"] }],
    noMatch: "deny",
    namesDir: "/n",
    linkHost: "a.link.m.internal",
};

test("a whole configuration passes as it is", () => {
    expect(checkBrokerConfig(good)).toBe(good);
    const more = {
        ...good,
        lease: { pid: 1, startTime: "2" },
        membersFile: "/m",
        gateway: { host: "127.0.0.1", port: 1080 },
        limits: { drainMs: 5 },
    };
    expect(checkBrokerConfig(more)).toBe(more);
});

test.each([
    [{ version: 2 }, "version"],
    [{ clusterName: "" }, "clusterName"],
    [{ linkHost: "../x" }, "linkHost"],
    [{ membersFile: "" }, "membersFile"],
    [{ gateway: { host: "", port: 1080 } }, "gateway.host"],
    [{ gateway: { host: "h", port: 0 } }, "gateway.port"],
    [{ gateway: { host: "h", port: "1080" } }, "gateway.port"],
    [{ ports: { ...good.ports, api: 70_000 } }, "ports.api"],
    [{ ports: { ...good.ports, links: "8884" } }, "ports.links"],
    [{ tls: { ...good.tls, linkKey: "secret-key" } }, "tls.linkKey"],
    [{ tls: null }, "tls"],
    [{ api: {} }, "api"],
    [{ api: [{ key: "k", secretHash: "secret", role: "administrator" }] }, "api[0].secretHash"],
    [{ api: [{ key: "k", secretHash: hash, role: "god" }] }, "api[0].role"],
    [{ users: [{ username: "u", passwordHash: "secret", salt: "", superuser: false }] }, "users[0].passwordHash"],
    [{ users: [{ username: "u", passwordHash: hash, salt: 1, superuser: false }] }, "users[0]"],
    [{ acl: [{ permission: "maybe", action: "all", topics: [] }] }, "acl[0].permission"],
    [{ acl: [{ permission: "deny", action: "all", topics: "#" }] }, "acl[0].topics"],
    [{ noMatch: "perhaps" }, "noMatch"],
    [{ lease: { pid: "1" } }, "lease"],
    [{ limits: { drainMs: 0 } }, "limits.drainMs"],
])("%o is refused at %s", (change, argument) => {
    const check = () => checkBrokerConfig({ ...good, ...change });
    expect(check).toThrow(InputError);
    expect(check).toThrow(expect.objectContaining({ argument }));
    expect(check).not.toThrow(/secret-key|"secret"/);
});

test("a file that is no JSON is refused without showing it", () => {
    const folder = mkdtempSync(join(tmpdir(), "linkspan-config-"));
    try {
        writeFileSync(join(folder, "config.json"), '{"secret": hunter2');
        expect(() => readBrokerConfig(join(folder, "config.json"))).toThrow(/config\.json: is no JSON$/);
        expect(() => readBrokerConfig(join(folder, "missing.json"))).toThrow(/cannot be read \(ENOENT\)/);
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
});

test("limits that are not set have their values", () => {
    expect(resolveLimits({ drainMs: 1 })).toMatchObject({ drainMs: 1, routeLifeMs: 30_000 });
});
