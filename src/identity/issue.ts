import "reflect-metadata";
import { createPrivateKey, createPublicKey, type KeyObject, webcrypto, X509Certificate } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { InputError } from "../errors.js";
import { type CertificateUsage, daysFrom, shortCommonName } from "./certificateRules.js";
import { splitPem } from "./pem.js";

/** A certificate with its key. The key is secret. */
export interface IssuedCertificate {
    readonly certPem: string;
    readonly keyPem: string;
    /** ISO 8601. */
    readonly notAfter: string;
}

/** Certificates begin a little in the past, so that a peer whose clock is behind accepts them at once. */
const clockSlackMs = 60 * 60 * 1000;
const ownKeys = { name: "ECDSA", namedCurve: "P-256" } as const;
const purposes: Readonly<Record<CertificateUsage, x509.ExtendedKeyUsage>> = {
    server: x509.ExtendedKeyUsage.serverAuth,
    client: x509.ExtendedKeyUsage.clientAuth,
};

/**
 * Makes a certificate authority: EC P-256, may sign end certificates only.
 *
 * @param keyPem the key of an earlier certificate of the same authority, to renew it: what it has issued stays valid
 */
export async function createAuthority(
    commonName: string,
    validityDays: number,
    keyPem?: string,
    now = Date.now(),
): Promise<IssuedCertificate> {
    const keys = keyPem === undefined ? await newKeys() : await keysOf(keyPem);
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
        serialNumber: serialNumber(),
        name: [{ CN: [shortCommonName(commonName)] }],
        notBefore: new Date(now - clockSlackMs),
        notAfter: daysFrom(now, validityDays),
        keys,
        signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
        extensions: [
            new x509.BasicConstraintsExtension(true, 0, true),
            new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
            await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
        ],
    });
    return {
        certPem: pemText(certificate.toString("pem")),
        keyPem: keyPem ?? (await privatePem(keys.privateKey)),
        notAfter: certificate.notAfter.toISOString(),
    };
}

/** What is to be issued. */
export interface CertificateRequest {
    readonly commonName: string;
    readonly dnsNames: readonly string[];
    readonly ipAddresses: readonly string[];
    readonly usage: readonly CertificateUsage[];
    readonly validityDays: number;
}

/**
 * Issues a certificate with a new EC P-256 key. It never outlives its authority. Where the authority is itself signed by another one,
 * the certificates in between follow in `certPem`.
 *
 * @throws InputError when the authority's certificate and key cannot issue
 */
export async function issueCertificate(
    request: CertificateRequest,
    authority: { readonly certPem: string; readonly keyPem: string },
    now = Date.now(),
): Promise<IssuedCertificate> {
    const { key } = readAuthority(authority.certPem, authority.keyPem, now);
    const chain = splitPem(authority.certPem).map((pem) => new x509.X509Certificate(pem));
    const [issuer] = chain;
    if (issuer === undefined) {
        throw new InputError("ca.certPem", "it holds no certificate; give the authority's certificate as PEM");
    }
    const signer = await importSigner(key);
    const keys = await newKeys();
    const wished = daysFrom(now, request.validityDays);
    const certificate = await x509.X509CertificateGenerator.create({
        serialNumber: serialNumber(),
        subject: [{ CN: [shortCommonName(request.commonName)] }],
        issuer: issuer.subjectName,
        notBefore: new Date(Math.max(now - clockSlackMs, issuer.notBefore.getTime())),
        notAfter: new Date(Math.min(wished.getTime(), issuer.notAfter.getTime())),
        publicKey: keys.publicKey,
        signingKey: signer.key,
        signingAlgorithm: signer.algorithm,
        extensions: [
            new x509.BasicConstraintsExtension(false, undefined, true),
            new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
            new x509.ExtendedKeyUsageExtension(request.usage.map((usage) => purposes[usage])),
            await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
            await authorityKeyId(issuer),
            ...alternativeNames(request),
        ],
    });
    const between = chain.filter((one) => one.subject !== one.issuer).map((one) => pemText(one.toString("pem")));
    return {
        certPem: [pemText(certificate.toString("pem")), ...between].join(""),
        keyPem: await privatePem(keys.privateKey),
        notAfter: certificate.notAfter.toISOString(),
    };
}

/**
 * Reads an authority that the user brings and checks that it can issue.
 *
 * @throws InputError naming `ca.certPem` or `ca.keyPem`, never showing the key
 */
export function readAuthority(
    certPem: string,
    keyPem: string,
    now = Date.now(),
): { readonly certificate: X509Certificate; readonly key: KeyObject } {
    const chain = splitPem(certPem).map((pem) => parseCertificate(pem));
    const certificate = chain[0];
    const last = chain.at(-1);
    if (certificate === undefined || last === undefined) {
        throw new InputError("ca.certPem", "it holds no certificate; give the authority's certificate as PEM");
    }
    const broken = chain.findIndex((one, index) => index > 0 && chain[index - 1]?.checkIssued(one) === false);
    if (broken !== -1) {
        throw new InputError(
            "ca.certPem",
            `certificate ${broken + 1} did not issue certificate ${broken}; give the authority first, then its own issuers up to the root`,
        );
    }
    if (!last.checkIssued(last)) {
        throw new InputError(
            "ca.certPem",
            "the chain ends before its root; add the certificates of the authority's own issuers up to the self-signed one",
        );
    }
    const key = parseKey(keyPem);
    if (!certificate.ca) {
        throw new InputError(
            "ca.certPem",
            "it is no certificate authority (basic constraints); give a certificate that may sign others",
        );
    }
    if (!certificate.checkPrivateKey(key)) {
        throw new InputError(
            "ca.keyPem",
            "it does not belong to the first certificate of ca.certPem; give the authority's own private key",
        );
    }
    if (Date.parse(certificate.validTo) <= now) {
        throw new InputError("ca.certPem", `it expired on ${new Date(certificate.validTo).toISOString()}; renew the authority`);
    }
    if (Date.parse(certificate.validFrom) > now + clockSlackMs) {
        throw new InputError(
            "ca.certPem",
            `it is not valid before ${new Date(certificate.validFrom).toISOString()}; look at this machine's clock`,
        );
    }
    return { certificate, key };
}

function parseCertificate(pem: string): X509Certificate {
    try {
        return new X509Certificate(pem);
    } catch {
        throw new InputError(
            "ca.certPem",
            "it is no readable certificate; give PEM text that begins with -----BEGIN CERTIFICATE-----",
        );
    }
}

function parseKey(keyPem: string): KeyObject {
    if (/BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(keyPem)) {
        throw new InputError("ca.keyPem", "it is encrypted; give the key without a passphrase, as a Pulumi secret");
    }
    try {
        return createPrivateKey(keyPem);
    } catch {
        throw new InputError("ca.keyPem", "it is no readable private key; give PEM text of the authority's private key");
    }
}

async function importSigner(key: KeyObject): Promise<{ key: webcrypto.CryptoKey; algorithm: { name: string; hash?: string } }> {
    const der = key.export({ type: "pkcs8", format: "der" });
    const curves: Readonly<Record<string, readonly [curve: string, hash: string]>> = {
        prime256v1: ["P-256", "SHA-256"],
        secp384r1: ["P-384", "SHA-384"],
        secp521r1: ["P-521", "SHA-512"],
    };
    const curve = curves[key.asymmetricKeyDetails?.namedCurve ?? ""];
    if (curve !== undefined) {
        const algorithm = { name: "ECDSA", namedCurve: curve[0] };
        return {
            key: await webcrypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]),
            algorithm: { name: "ECDSA", hash: curve[1] },
        };
    }
    if (key.asymmetricKeyType === "rsa") {
        const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
        return { key: await webcrypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]), algorithm };
    }
    throw new InputError(
        "ca.keyPem",
        `keys of the kind ${key.asymmetricKeyType ?? "unknown"} are not supported; use RSA, or EC on P-256, P-384 or P-521`,
    );
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
    return webcrypto.subtle.generateKey(ownKeys, true, ["sign", "verify"]);
}

async function keysOf(keyPem: string): Promise<webcrypto.CryptoKeyPair> {
    const key = createPrivateKey(keyPem);
    const publicDer = createPublicKey(key).export({ type: "spki", format: "der" });
    return {
        privateKey: await webcrypto.subtle.importKey("pkcs8", key.export({ type: "pkcs8", format: "der" }), ownKeys, true, [
            "sign",
        ]),
        publicKey: await webcrypto.subtle.importKey("spki", publicDer, ownKeys, true, ["verify"]),
    };
}

async function privatePem(key: webcrypto.CryptoKey): Promise<string> {
    const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key));
    return createPrivateKey({ key: der, format: "der", type: "pkcs8" }).export({ type: "pkcs8", format: "pem" }).toString();
}

async function authorityKeyId(issuer: x509.X509Certificate): Promise<x509.Extension> {
    const own = issuer.getExtension(x509.SubjectKeyIdentifierExtension);
    return own === null
        ? x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey)
        : new x509.AuthorityKeyIdentifierExtension(own.keyId);
}

function alternativeNames(request: CertificateRequest): x509.Extension[] {
    const names: x509.JsonGeneralNames = [
        ...request.dnsNames.map((value) => ({ type: "dns" as const, value })),
        ...request.ipAddresses.map((value) => ({ type: "ip" as const, value })),
    ];
    return names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)];
}

/** 16 random bytes, positive. */
function serialNumber(): string {
    const bytes = webcrypto.getRandomValues(new Uint8Array(16));
    bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
    return Buffer.from(bytes).toString("hex");
}

function pemText(pem: string): string {
    return `${pem.replaceAll("\r\n", "\n").trim()}\n`;
}
