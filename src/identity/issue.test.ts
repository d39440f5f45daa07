import { createPrivateKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import * as tls from "node:tls";
import { describe, expect, it } from "vitest";
import { createAuthority, issueCertificate, readAuthority } from "./issue.js";

const day = 86_400_000;
const request = {
    commonName: "fleet-edge",
    dnsNames: ["edge.link.fleet.internal", "localhost"],
    ipAddresses: ["127.0.0.1", "::1"],
    usage: ["server", "client"] as const,
    validityDays: 397,
};

describe("authority", () => {
    it("signs end certificates only and lasts as long as asked", async () => {
        const now = Date.now();
        const made = await createAuthority("fleet mesh", 3650, undefined, now);
        const certificate = new X509Certificate(made.certPem);
        expect(certificate.ca).toBe(true);
        expect(certificate.subject).toBe("CN=fleet mesh");
        expect(certificate.checkIssued(certificate)).toBe(true);
        expect(certificate.checkPrivateKey(createPrivateKey(made.keyPem))).toBe(true);
        expect(Math.abs(Date.parse(made.notAfter) - now - 3650 * day)).toBeLessThan(1001);
        expect(new Date(certificate.validTo).toISOString()).toBe(made.notAfter);
    });

    it("keeps its key when it is renewed, so that what it has issued stays valid", async () => {
        const first = await createAuthority("fleet mesh", 100);
        const leaf = await issueCertificate(request, first);
        const renewed = await createAuthority("fleet mesh", 200, first.keyPem);
        expect(renewed.keyPem).toBe(first.keyPem);
        expect(renewed.certPem).not.toBe(first.certPem);
        const parsed = new X509Certificate(leaf.certPem);
        expect(parsed.checkIssued(new X509Certificate(renewed.certPem))).toBe(true);
        expect(parsed.verify(new X509Certificate(renewed.certPem).publicKey)).toBe(true);
    });

    it("takes a common name as text, not as a list of attributes, and cuts it to 64 characters", async () => {
        const odd = new X509Certificate((await createAuthority("a,O=evil", 10)).certPem);
        expect(odd.toLegacyObject().subject).toEqual({ CN: "a,O=evil" });
        const long = new X509Certificate((await createAuthority("x".repeat(100), 10)).certPem);
        expect(long.subject).toBe(`CN=${"x".repeat(64)}`);
    });
});

describe("certificate", () => {
    it("carries names, addresses and uses, and chains to its authority", async () => {
        const authority = await createAuthority("fleet mesh", 3650);
        const issued = await issueCertificate(request, authority);
        const certificate = new X509Certificate(issued.certPem);
        expect(certificate.ca).toBe(false);
        expect(certificate.subjectAltName).toBe(
            "DNS:edge.link.fleet.internal, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1",
        );
        expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
        expect(certificate.checkIssued(new X509Certificate(authority.certPem))).toBe(true);
        expect(certificate.verify(new X509Certificate(authority.certPem).publicKey)).toBe(true);
    });

    it("is new every time, with another key and serial number", async () => {
        const authority = await createAuthority("fleet mesh", 3650);
        const one = await issueCertificate(request, authority);
        const other = await issueCertificate(request, authority);
        expect(one.keyPem).not.toBe(other.keyPem);
        expect(new X509Certificate(one.certPem).serialNumber).not.toBe(new X509Certificate(other.certPem).serialNumber);
    });

    it("never outlives its authority", async () => {
        const authority = await createAuthority("fleet mesh", 10);
        expect((await issueCertificate(request, authority)).notAfter).toBe(authority.notAfter);
    });

    it("works in a TLS handshake where both sides must show one, and is refused by another authority", async () => {
        const authority = await createAuthority("fleet mesh", 3650);
        const stranger = await createAuthority("other mesh", 3650);
        const server = await issueCertificate({ ...request, usage: ["server"] }, authority);
        const client = await issueCertificate({ ...request, usage: ["client"] }, authority);
        const foreign = await issueCertificate({ ...request, usage: ["client"] }, stranger);
        const asServer = {
            ca: authority.certPem,
            cert: server.certPem,
            key: server.keyPem,
            requestCert: true,
            rejectUnauthorized: true,
        };
        const listener = tls.createServer(asServer, (socket) => socket.end("hello"));
        listener.on("tlsClientError", () => {});
        listener.listen(0, "127.0.0.1");
        await once(listener, "listening");
        const { port } = listener.address() as AddressInfo;
        const talk = async (own: { certPem: string; keyPem: string }, ca: string): Promise<string> => {
            const socket = tls.connect({
                host: "127.0.0.1",
                port,
                servername: "localhost",
                ca,
                cert: own.certPem,
                key: own.keyPem,
            });
            let text = "";
            socket.on("data", (chunk) => {
                text += String(chunk);
            });
            try {
                await once(socket, "close");
                return text;
            } catch (error) {
                return `refused: ${(error as NodeJS.ErrnoException).code}`;
            }
        };
        try {
            expect(await talk(client, authority.certPem)).toBe("hello");
            expect(await talk(foreign, authority.certPem)).toMatch(/^refused|^$/);
            // The common authority signs both, but a server's certificate is no client's.
            expect(await talk(server, authority.certPem)).toMatch(/^refused|^$/);
            expect(await talk(client, stranger.certPem)).toMatch(/^refused: /);
        } finally {
            listener.close();
        }
    });
});

describe("a given authority", () => {
    const keyPem = (type: "rsa" | "P-256" | "P-384" | "ed25519") => {
        const pair =
            type === "rsa"
                ? generateKeyPairSync("rsa", { modulusLength: 2048 })
                : type === "ed25519"
                  ? generateKeyPairSync("ed25519")
                  : generateKeyPairSync("ec", { namedCurve: type });
        return pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    };

    it("is refused when certificate and key do not belong together, without showing the key", async () => {
        const authority = await createAuthority("fleet mesh", 3650);
        for (const other of [keyPem("P-256"), keyPem("rsa"), keyPem("ed25519")]) {
            const refused = await issueCertificate(request, { certPem: authority.certPem, keyPem: other }).catch(
                (error: Error) => error.message,
            );
            expect(refused).toMatch(/^ca\.keyPem: it does not belong to/);
            expect(refused).not.toContain(other.split("\n")[1]);
        }
    });

    it("names what is wrong with it", async () => {
        const authority = await createAuthority("fleet mesh", 10);
        const leaf = await issueCertificate(request, authority);
        const table: [certPem: string, keyPem: string, message: RegExp][] = [
            ["", authority.keyPem, /^ca\.certPem: it holds no certificate/],
            [authority.keyPem, authority.certPem, /^ca\.certPem: it holds no certificate/],
            [authority.certPem, "", /^ca\.keyPem: it is no readable private key/],
            [authority.certPem, authority.certPem, /^ca\.keyPem: it is no readable private key/],
            [leaf.certPem, leaf.keyPem, /^ca\.certPem: the chain ends before its root/],
            [`${leaf.certPem}${authority.certPem}`, leaf.keyPem, /^ca\.certPem: it is no certificate authority/],
            [`${authority.certPem}${leaf.certPem}`, authority.keyPem, /^ca\.certPem: certificate 2 did not issue certificate 1/],
            [authority.certPem.replace(/M[A-Za-z0-9]{20}/, "M"), authority.keyPem, /^ca\.certPem: it is no readable certificate/],
        ];
        for (const [certPem, keyPem, message] of table) {
            expect(() => readAuthority(certPem, keyPem)).toThrow(message);
        }
        const encrypted = createPrivateKey(authority.keyPem).export({
            type: "pkcs8",
            format: "pem",
            cipher: "aes-256-cbc",
            passphrase: "x",
        });
        expect(() => readAuthority(authority.certPem, encrypted.toString())).toThrow(/^ca\.keyPem: it is encrypted/);
        expect(() => readAuthority(authority.certPem, authority.keyPem, Date.now() + 11 * day)).toThrow(
            /^ca\.certPem: it expired on/,
        );
        expect(() => readAuthority(authority.certPem, authority.keyPem, Date.now() - 2 * day)).toThrow(
            /^ca\.certPem: it is not valid before/,
        );
    });
});
