import { createPrivateKey } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { createAuthority, type IssuedCertificate, issueCertificate } from "../identity/issue.js";
import { linkTls } from "./linkTls.js";
import { checkAuthorities, checkKeyPair, missingNames } from "./pem.js";

const day = 86_400_000;
const server = "edge.link.fleet.internal:8884";
const names = { cert: "tls.cert", key: "tls.key" };
let ca: IssuedCertificate;
let leaf: IssuedCertificate;
let other: IssuedCertificate;
let bare: IssuedCertificate;

beforeAll(async () => {
    ca = await createAuthority("mesh", 400);
    const request = {
        commonName: "edge",
        dnsNames: ["edge.example.com"],
        ipAddresses: [],
        usage: ["client"] as const,
        validityDays: 30,
    };
    leaf = await issueCertificate(request, ca);
    other = await issueCertificate(request, ca);
    bare = await issueCertificate({ ...request, dnsNames: [] }, ca);
});

/** Everything that stands in a PEM block, as a message must never show it. */
function body(pem: string): string[] {
    return pem.split("\n").filter((line) => line !== "" && !line.startsWith("-----"));
}

function messageOf(act: () => unknown): string {
    try {
        act();
    } catch (error) {
        return String(error);
    }
    return "nothing was refused";
}

describe("authorities", () => {
    it("takes one, and several", () => {
        checkAuthorities(ca.certPem, "tls.ca");
        checkAuthorities(`${ca.certPem}\n${ca.certPem}`, "tls.ca");
    });

    const wrong: readonly (readonly [string, () => string, RegExp])[] = [
        ["a key", () => ca.keyPem, /private key.*swapped/],
        ["a path", () => "/etc/ssl/ca.pem", /text of .* not the path/],
        ["nothing", () => "", /no PEM certificate/],
        ["a broken block", () => ca.certPem.replace(/[A-Za-z0-9+/]{20}/, "AAAA"), /no certificate/],
        ["a client's certificate", () => leaf.certPem, /vouches for nobody/],
    ];
    it.each(wrong)("refuses %s", (_what, pem, message) => {
        const said = messageOf(() => checkAuthorities(pem(), "tls.ca"));
        expect(said).toMatch(message);
        expect(said).toContain("tls.ca: ");
    });

    it("refuses a bundle in which none is valid now, and takes an old one beside a valid one", async () => {
        const old = await createAuthority("old", 10, undefined, Date.now() - 20 * day);
        expect(messageOf(() => checkAuthorities(old.certPem, "tls.ca"))).toMatch(/expired at \d{4}/);
        expect(messageOf(() => checkAuthorities(ca.certPem, "tls.ca", Date.now() - day))).toMatch(/not valid before .*clock/);
        checkAuthorities(old.certPem + ca.certPem, "tls.ca");
    });
});

describe("certificate and key", () => {
    it("takes a pair, alone and with its chain", () => {
        checkKeyPair(leaf.certPem, leaf.keyPem, names);
        checkKeyPair(leaf.certPem + ca.certPem, leaf.keyPem, names);
    });

    const encrypted = () =>
        createPrivateKey(leaf.keyPem).export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" }).toString();
    const wrong: readonly (readonly [string, () => readonly [string, string], RegExp])[] = [
        ["swapped", () => [leaf.keyPem, leaf.certPem], /tls\.cert: .*private key.*swapped/],
        ["the certificate twice", () => [leaf.certPem, leaf.certPem], /tls\.key: .*certificate.*swapped/],
        ["an encrypted key", () => [leaf.certPem, encrypted()], /tls\.key: .*encrypted.*openssl pkey/],
        [
            "an old encrypted key",
            () => [leaf.certPem, "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"],
            /tls\.key: .*encrypted/,
        ],
        ["another's key", () => [leaf.certPem, other.keyPem], /tls\.key: .*not the key of the certificate/],
        ["the chain first", () => [ca.certPem + leaf.certPem, leaf.keyPem], /tls\.cert: .*position 2; set it first/],
        [
            "a chain with a gap",
            () => [leaf.certPem + other.certPem, leaf.keyPem],
            /certificate 1 was not issued by certificate 2/,
        ],
        ["the path of a key", () => [leaf.certPem, "file:///key.pem"], /tls\.key: .*no PEM private key/],
        ["a broken key", () => [leaf.certPem, leaf.keyPem.replace(/[A-Za-z0-9+/]{20}/, "AAAA")], /tls\.key: .*no private key/],
    ];
    it.each(wrong)("refuses %s, showing neither text", (_what, pair, message) => {
        const [cert, key] = pair();
        const said = messageOf(() => checkKeyPair(cert, key, names));
        expect(said).toMatch(message);
        for (const line of [...body(cert), ...body(key)]) {
            expect(said).not.toContain(line);
        }
    });

    it("refuses what is not valid now", () => {
        expect(messageOf(() => checkKeyPair(leaf.certPem, leaf.keyPem, names, Date.now() + 31 * day))).toMatch(
            /tls\.cert: .*expired at/,
        );
        expect(messageOf(() => checkKeyPair(leaf.certPem, leaf.keyPem, names, Date.now() - day))).toMatch(/not valid before/);
    });

    it("knows a certificate that has a common name only", () => {
        expect(missingNames(bare.certPem)).toMatch(/alternative names/);
        expect(missingNames(leaf.certPem)).toBeUndefined();
        expect(missingNames("nonsense")).toBeUndefined();
    });
});

describe("a link's TLS", () => {
    it("is off where nothing is set", () => {
        expect(linkTls(undefined, server)).toEqual({ enable: false, verify: "verify_none" });
        expect(linkTls({ enable: false }, server)).toEqual({ enable: false, verify: "verify_none" });
    });

    it("verifies the peer by the host of server", () => {
        expect(linkTls({ enable: true, ca: ca.certPem }, server)).toEqual({
            enable: true,
            ca: ca.certPem,
            verify: "verify_peer",
            serverName: "edge.link.fleet.internal",
        });
        expect(linkTls({ enable: true }, "192.0.2.1:8884")).toEqual({ enable: true, verify: "verify_peer" });
        expect(linkTls({ enable: true, serverName: "GCP.example.com" }, server).serverName).toBe("gcp.example.com");
    });

    it("may skip verification on private addresses only", () => {
        for (const address of ["10.1.2.3:8884", "172.31.0.1:1", "192.168.0.9:8884", "127.0.0.1:8884", "100.64.1.1:8884"]) {
            expect(linkTls({ enable: true, verify: "verify_none" }, address)).toEqual({ enable: true, verify: "verify_none" });
        }
        for (const address of [server, "8.8.8.8:8884", "172.32.0.1:8884", "10.example.com:8884"]) {
            expect(() => linkTls({ enable: true, verify: "verify_none" }, address)).toThrow(/tls\.verify: .*whoever answers/);
        }
    });

    it("refuses settings that contradict each other", () => {
        expect(() => linkTls({ enable: false, ca: ca.certPem }, server)).toThrow(/tls\.enable: .*tls\.ca/);
        expect(() => linkTls({ enable: true, cert: leaf.certPem }, server)).toThrow(/tls\.key: .*go together/);
        expect(() => linkTls({ enable: true, key: leaf.keyPem }, server)).toThrow(/tls\.cert: .*go together/);
        expect(() => linkTls({ enable: true, verify: "verify_none", ca: ca.certPem }, "10.0.0.1:1")).toThrow(
            /tls\.verify: .*ignores/,
        );
        expect(() => linkTls(JSON.parse('{"enable":true,"verify":"maybe"}'), server)).toThrow(/tls\.verify: "maybe"/);
    });

    it.each(["disable", "", "a b", "192.0.2.1", "host:8884", "-x.example.com", "https://host"])(
        "refuses the server name %j",
        (serverName) => {
            expect(() => linkTls({ enable: true, serverName }, server)).toThrow(/tls\.serverName: /);
        },
    );
});
