import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { InputError } from "../errors.js";

// Nothing of what stands in a PEM text goes into a message: a swapped argument would show a private key.

const certificateBlock = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;
const anyKey = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/;
const encryptedKey = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type:\s*4,ENCRYPTED/m;

/** Texts whose reading is remembered: a mesh shows the same few in every link, and reading a key takes a millisecond. */
const mostRemembered = 64;

/** Remembers what `read` makes of a text, for the last few texts. What it throws is not remembered. */
function remembering<T>(read: (text: string) => T): (text: string) => T {
    const known = new Map<string, T>();
    return (text) => {
        const before = known.get(text);
        if (before !== undefined) {
            return before;
        }
        const made = read(text);
        if (known.size >= mostRemembered) {
            known.delete(known.keys().next().value ?? "");
        }
        known.set(text, made);
        return made;
    };
}

const readCertificate = remembering((block) => new X509Certificate(block));
const readKey = remembering((pem) => createPrivateKey(pem));
/** Whether a key is that of a certificate, by both texts. */
const belongTogether = remembering((texts) => {
    const [block = "", pem = ""] = JSON.parse(texts) as string[];
    return readCertificate(block).checkPrivateKey(readKey(pem)) ? "yes" : "no";
});

/** The certificates of a PEM text. @throws InputError naming the argument */
function certificatesOf(pem: string, argument: string, wanted: string): X509Certificate[] {
    if (anyKey.test(pem)) {
        throw new InputError(argument, `it holds a private key; set ${wanted} here (are certificate and key swapped?)`);
    }
    const blocks = pem.match(certificateBlock) ?? [];
    if (blocks.length === 0) {
        throw new InputError(argument, `it is no PEM certificate; set the text of ${wanted}, not the path of a file`);
    }
    return blocks.map((block) => {
        try {
            return readCertificate(block);
        } catch {
            throw new InputError(argument, `it has a PEM block that is no certificate; set ${wanted} as it was issued`);
        }
    });
}

function checkDates(certificate: X509Certificate, argument: string, now: number): void {
    const [from, to] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
    if (to < now) {
        throw new InputError(argument, `the certificate expired at ${new Date(to).toISOString()}; set one that is valid`);
    }
    if (from > now) {
        throw new InputError(
            argument,
            `the certificate is not valid before ${new Date(from).toISOString()}; wait, or look at the clock of this machine and of the issuer`,
        );
    }
}

/**
 * Checks the authorities that a TLS peer is verified against: PEM, one or more certificates, each an authority's and valid now.
 *
 * @throws InputError naming the argument, never showing the text
 */
export function checkAuthorities(pem: string, argument: string, now: number = Date.now()): void {
    const certificates = certificatesOf(pem, argument, "the authority's certificate");
    for (const certificate of certificates) {
        if (!certificate.ca && certificate.subject !== certificate.issuer) {
            throw new InputError(
                argument,
                "it holds the certificate of a server or client, which vouches for nobody; set that of the authority that issued it",
            );
        }
    }
    // One old authority in a bundle is ordinary; a bundle of nothing else verifies nothing.
    if (certificates.every((certificate) => Date.parse(certificate.validTo) < now || Date.parse(certificate.validFrom) > now)) {
        for (const certificate of certificates) {
            checkDates(certificate, argument, now);
        }
    }
}

/**
 * Checks a certificate with its private key: PEM, not swapped, key not encrypted and matching, leaf first and its chain in order, all valid
 * now.
 *
 * @throws InputError naming the argument, never showing either text
 */
export function checkKeyPair(
    cert: string,
    key: string,
    names: { readonly cert: string; readonly key: string },
    now: number = Date.now(),
): void {
    const certificates = certificatesOf(cert, names.cert, "the certificate");
    const [leaf] = certificates;
    const privateKey = privateKeyOf(key, names.key);
    if (leaf === undefined || belongTogether(JSON.stringify([leaf.toString(), key])) !== "yes") {
        const position = certificates.findIndex((certificate) => certificate.checkPrivateKey(privateKey));
        throw position > 0
            ? new InputError(
                  names.cert,
                  `the certificate of the key stands at position ${position + 1}; set it first, then its issuers`,
              )
            : new InputError(
                  names.key,
                  `it is not the key of the certificate in ${names.cert}; set the key that the certificate was issued for`,
              );
    }
    for (const [index, certificate] of certificates.entries()) {
        checkDates(certificate, names.cert, now);
        const issuer = certificates[index + 1];
        if (issuer !== undefined && !certificate.checkIssued(issuer)) {
            throw new InputError(
                names.cert,
                `certificate ${index + 1} was not issued by certificate ${index + 2}, so peers cannot follow the chain; set leaf, then each issuer in order`,
            );
        }
    }
}

function privateKeyOf(pem: string, argument: string): KeyObject {
    if (!anyKey.test(pem)) {
        const swapped = /-----BEGIN CERTIFICATE-----/.test(pem);
        throw new InputError(
            argument,
            swapped
                ? "it holds a certificate; set the private key here (are certificate and key swapped?)"
                : "it is no PEM private key; set the text of the key, not the path of a file",
        );
    }
    if (encryptedKey.test(pem)) {
        throw new InputError(
            argument,
            "the private key is encrypted, and EMQX gets no passphrase for it; decrypt it (openssl pkey) and pass it as a Pulumi secret",
        );
    }
    try {
        return readKey(pem);
    } catch {
        throw new InputError(argument, "it has a PEM block that is no private key; set the key as it was made");
    }
}

/**
 * Whether TLS clients can find a name in a server's certificate at all: undefined when so, else what is wrong. A common name alone does
 * not count; clients have ignored it for years.
 */
export function missingNames(cert: string): string | undefined {
    const [block] = cert.match(certificateBlock) ?? [];
    try {
        return block === undefined || new X509Certificate(block).subjectAltName !== undefined
            ? undefined
            : "the certificate has a common name only; issue it with the host names and addresses as alternative names (SAN)";
    } catch {
        return undefined;
    }
}
