import { X509Certificate } from "node:crypto";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { unknownValue } from "../dynamic/provider.js";
import { certificate, meshCa, secrets } from "../provider.js";
import type { CertificateInputs, CertificateOutputs } from "./certificateProvider.js";
import type { MeshCaInputs, MeshCaOutputs } from "./meshCaProvider.js";
import type { SecretsInputs, SecretsOutputs } from "./secretsProvider.js";

type Provider = typeof meshCa;
const day = 86_400_000;

async function create<O>(provider: Provider, inputs: object): Promise<O> {
    return (await provider.create(inputs)).outs as O;
}

async function changes(provider: Provider, olds: object, news: object): Promise<boolean | undefined> {
    return (await provider.diff?.("id", olds, news))?.changes;
}

async function update<O>(provider: Provider, olds: object, news: object): Promise<O> {
    return (await provider.update?.("id", olds, news))?.outs as O;
}

async function failures(provider: Provider, news: object): Promise<string[]> {
    return ((await provider.check?.({}, news))?.failures ?? []).map(({ property, reason }) => `${property} | ${reason}`);
}

afterEach(() => {
    vi.useRealTimers();
});

/** Moves the clock ahead without stopping timers. */
function inDays(days: number): void {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + days * day });
}

describe("MeshCa", () => {
    const inputs: MeshCaInputs = { commonName: "fleet mesh" };

    it("is stable, and its stored inputs hold no default", async () => {
        const outs = await create<MeshCaOutputs>(meshCa, inputs);
        expect(Object.keys(outs).sort()).toEqual(["certPem", "commonName", "keyPem", "notAfter"]);
        expect(await changes(meshCa, outs, { ...inputs, progressUrn: "urn:other" })).toBe(false);
    });

    it("gets another key by rotation and by another name, and keeps it for everything else", async () => {
        const outs = await create<MeshCaOutputs>(meshCa, inputs);
        for (const [news, sameKey] of [
            [{ ...inputs, rotation: 1 }, false],
            [{ commonName: "fleet two" }, false],
            [{ ...inputs, validityDays: 100 }, true],
        ] as const) {
            expect(await changes(meshCa, outs, news)).toBe(true);
            const next = await update<MeshCaOutputs>(meshCa, outs, news);
            expect(next.keyPem === outs.keyPem).toBe(sameKey);
            expect(next.certPem).not.toBe(outs.certPem);
            expect(await changes(meshCa, next, news)).toBe(false);
        }
    });

    it("is renewed before what it issues would be cut short", async () => {
        const outs = await create<MeshCaOutputs>(meshCa, inputs);
        inDays(3650 - 428);
        expect(await changes(meshCa, outs, inputs)).toBe(false);
        inDays(2);
        expect(await changes(meshCa, outs, inputs)).toBe(true);
        const next = await update<MeshCaOutputs>(meshCa, outs, inputs);
        expect(next.keyPem).toBe(outs.keyPem);
        expect(await changes(meshCa, next, inputs)).toBe(false);
    });

    it("refuses bad arguments and says nothing about unknown ones", async () => {
        expect(await failures(meshCa, { commonName: " " })).toEqual([
            expect.stringMatching(/^commonName \| commonName: " " is empty/),
        ]);
        expect(await failures(meshCa, { commonName: "x", validityDays: 0, rotation: 1.5 })).toEqual([
            expect.stringMatching(/^commonName \| validityDays: 0 is out of range/),
            expect.stringMatching(/^commonName \| rotation: 1\.5 is no counter/),
        ]);
        expect(await failures(meshCa, { commonName: unknownValue, validityDays: unknownValue })).toEqual([]);
    });
});

describe("Certificate", () => {
    async function given(): Promise<CertificateInputs> {
        const ca = await create<MeshCaOutputs>(meshCa, { commonName: "fleet mesh" });
        return {
            caCertPem: ca.certPem,
            caKeyPem: ca.keyPem,
            commonName: "edge",
            dnsNames: ["a.example", "b.example"],
            usage: ["server"],
        };
    }

    it("is stable whatever the order of its names", async () => {
        const inputs = await given();
        const outs = await create<CertificateOutputs>(certificate, inputs);
        expect(await changes(certificate, outs, inputs)).toBe(false);
        expect(await changes(certificate, outs, { ...inputs, dnsNames: ["b.example", "a.example"], renewBeforeDays: 20 })).toBe(
            false,
        );
        expect(await changes(certificate, outs, { ...inputs, ipAddresses: [], validityDays: 397, rotation: 0 })).toBe(false);
    });

    it("is issued anew when what it says, its authority or its rotation changes", async () => {
        const inputs = await given();
        const outs = await create<CertificateOutputs>(certificate, inputs);
        const other = await given();
        for (const news of [
            { ...inputs, dnsNames: ["a.example"] },
            { ...inputs, ipAddresses: ["10.0.0.1"] },
            { ...inputs, usage: ["client"] },
            { ...inputs, commonName: "north" },
            { ...inputs, validityDays: 90 },
            { ...inputs, rotation: 1 },
            { ...inputs, caCertPem: other.caCertPem, caKeyPem: other.caKeyPem },
        ]) {
            expect(await changes(certificate, outs, news)).toBe(true);
            const next = await update<CertificateOutputs>(certificate, outs, news);
            expect(next.certPem).not.toBe(outs.certPem);
            expect(new X509Certificate(next.certPem).checkIssued(new X509Certificate(next.caCertPem))).toBe(true);
            expect(await changes(certificate, next, news)).toBe(false);
        }
    });

    it("is renewed when less than renewBeforeDays is left", async () => {
        const inputs = await given();
        const outs = await create<CertificateOutputs>(certificate, inputs);
        inDays(397 - 31);
        expect(await changes(certificate, outs, inputs)).toBe(false);
        expect(await changes(certificate, outs, { ...inputs, renewBeforeDays: 60 })).toBe(true);
        inDays(2);
        expect(await changes(certificate, outs, inputs)).toBe(true);
        expect(await changes(certificate, await update<CertificateOutputs>(certificate, outs, inputs), inputs)).toBe(false);
    });

    it("is not issued again and again when its authority ends with it", async () => {
        const ca = await create<MeshCaOutputs>(meshCa, { commonName: "short", validityDays: 20 });
        const inputs = { caCertPem: ca.certPem, caKeyPem: ca.keyPem, commonName: "edge" };
        const outs = await create<CertificateOutputs>(certificate, inputs);
        expect(outs.notAfter).toBe(ca.notAfter);
        expect(await changes(certificate, outs, inputs)).toBe(false);
    });

    it("shows a change, and issues nothing, while its authority is unknown", async () => {
        const inputs = await given();
        const outs = await create<CertificateOutputs>(certificate, inputs);
        expect(await changes(certificate, outs, { ...inputs, caCertPem: unknownValue })).toBe(true);
        await expect(create(certificate, { ...inputs, caKeyPem: unknownValue })).rejects.toThrow(/not known yet/);
    });

    it("refuses bad arguments under a property that is not secret", async () => {
        const inputs = await given();
        for (const [bad, reason] of [
            [{ dnsNames: ["ok.example", "no spaces"] }, /dnsNames\[1\]: "no spaces" is no host name/],
            [{ dnsNames: ["10.0.0.1"] }, /dnsNames\[0\]: "10.0.0.1" is an address/],
            [{ ipAddresses: ["edge.example"] }, /ipAddresses\[0\]: "edge\.example" is no IP address/],
            [{ usage: ["sign"] }, /usage: "sign" is not known/],
            [{ usage: [] }, /usage: \[\] is not known/],
            [{ validityDays: 30, renewBeforeDays: 30 }, /renewBeforeDays: 30 is not below/],
            [{ commonName: "" }, /commonName: "" is empty/],
            [{ rotation: -1 }, /rotation: -1 is no counter/],
        ] as const) {
            const found = await failures(certificate, { ...inputs, ...bad });
            expect(found).toHaveLength(1);
            expect(found[0]).toMatch(new RegExp(`^commonName \\| ${reason.source}`));
        }
        expect(
            await failures(certificate, { ...inputs, dnsNames: ["ok.example", unknownValue], caKeyPem: unknownValue }),
        ).toEqual([]);
    });
});

describe("Secrets", () => {
    it("have the asked entropy, differ from each other and are stable", async () => {
        const inputs: SecretsInputs = { names: ["api", "link"], bytes: 24 };
        const outs = await create<SecretsOutputs>(secrets, inputs);
        expect(Object.keys(outs.values)).toEqual(["api", "link"]);
        expect(new Set(Object.values(outs.values)).size).toBe(2);
        for (const value of Object.values(outs.values)) {
            expect(value).toMatch(/^[A-Za-z0-9_-]{32}$/);
        }
        expect(await changes(secrets, outs, { ...inputs, progressUrn: "x" })).toBe(false);
        expect(await changes(secrets, outs, { names: ["link", "api"], bytes: 64, rotation: { api: 0 } })).toBe(false);
    });

    it("change exactly where a name is new or its counter has moved (property)", async () => {
        const name = fc.constantFrom("a", "b", "c", "d");
        const description = fc.record({
            names: fc.uniqueArray(name, { minLength: 1 }),
            rotation: fc.dictionary(name, fc.nat(2)),
        });
        await fc.assert(
            fc.asyncProperty(description, description, async (first, second) => {
                const outs = await create<SecretsOutputs>(secrets, first);
                const shouldChange = second.names.filter(
                    (one) => !first.names.includes(one) || (first.rotation[one] ?? 0) !== (second.rotation[one] ?? 0),
                );
                const removed = first.names.some((one) => !second.names.includes(one));
                expect(await changes(secrets, outs, second)).toBe(removed || shouldChange.length > 0);
                const next = await update<SecretsOutputs>(secrets, outs, second);
                expect(Object.keys(next.values).sort()).toEqual([...second.names].sort());
                for (const one of second.names) {
                    expect(next.values[one] === outs.values[one]).toBe(!shouldChange.includes(one));
                }
                expect(await changes(secrets, next, second)).toBe(false);
            }),
        );
    });

    it("refuse bad descriptions", async () => {
        for (const [bad, reason] of [
            [{ names: [] }, /names: it is empty/],
            [{ names: ["a", "a"] }, /names\[1\]: "a" is there twice/],
            [{ names: ["a b"] }, /names\[0\]: "a b" cannot name a secret/],
            [{ names: ["a"], bytes: 8 }, /bytes: 8 is out of range/],
            [{ names: ["a"], rotation: { b: 1 } }, /rotation\.b: there is no secret of this name/],
            [{ names: ["a"], rotation: { a: -1 } }, /rotation\.a: -1 is no counter/],
        ] as const) {
            expect(await failures(secrets, bad)).toEqual([expect.stringMatching(new RegExp(`^names \\| ${reason.source}`))]);
        }
        expect(await failures(secrets, { names: ["a", unknownValue] })).toEqual([]);
    });
});
