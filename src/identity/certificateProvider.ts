import { X509Certificate } from "node:crypto";
import { checkFailures } from "../dynamic/checkFailures.js";
import { progressFor } from "../dynamic/progress.js";
import type { Lifecycle } from "../dynamic/provider.js";
import { hasUnknown, unknownValue } from "../dynamic/provider.js";
import { type CertificateUsage, checkCertificate, checkRotation, endsWithin, identityDefaults } from "./certificateRules.js";
import { splitPem } from "./pem.js";

/** What state holds of a certificate's arguments. `caKeyPem` is secret. */
export interface CertificateInputs {
    readonly caCertPem: string;
    readonly caKeyPem: string;
    readonly commonName: string;
    readonly dnsNames?: readonly string[];
    readonly ipAddresses?: readonly string[];
    readonly usage?: readonly CertificateUsage[];
    readonly validityDays?: number;
    readonly renewBeforeDays?: number;
    readonly rotation?: number;
    readonly progressUrn?: string;
}

/** What state holds of a certificate. `keyPem` is secret. */
export interface CertificateOutputs extends CertificateInputs {
    readonly certPem: string;
    readonly keyPem: string;
    readonly notAfter: string;
}

/** Issues and renews certificates of a mesh's authority. Issuing anew happens in place: whatever uses the certificate is updated. */
export const certificateProvider: Lifecycle<CertificateInputs, CertificateOutputs> = {
    async check(news) {
        const known = <T>(value: T) => (hasUnknown(value) ? undefined : value);
        const { commonName, dnsNames, ipAddresses, usage, validityDays, renewBeforeDays } = news;
        const failures = checkFailures(
            "commonName",
            () =>
                checkCertificate({
                    commonName: known(commonName),
                    dnsNames: known(dnsNames),
                    ipAddresses: known(ipAddresses),
                    usage: known(usage),
                    validityDays: known(validityDays),
                    renewBeforeDays: known(renewBeforeDays),
                }),
            () => checkRotation("rotation", known(news.rotation)),
        );
        return { inputs: news, failures };
    },

    async diff(_id, olds, news) {
        return { changes: contentOf(olds) !== contentOf(news) || isDue(olds, news) };
    },

    async create(inputs) {
        return { id: inputs.commonName, outs: await issue(inputs) };
    },

    async update(_id, _olds, news) {
        return issue(news);
    },
};

/** All that a certificate says or depends on, without the order of its names. When it is renewed is not part of it. */
function contentOf(inputs: CertificateInputs): string {
    const sorted = (list: readonly string[] | undefined) => [...(list ?? [])].sort();
    return JSON.stringify([
        inputs.caCertPem,
        inputs.commonName,
        sorted(inputs.dnsNames),
        sorted(inputs.ipAddresses),
        sorted(usageOf(inputs)),
        inputs.validityDays ?? identityDefaults.validityDays,
        inputs.rotation ?? 0,
    ]);
}

/** Whether it is time to renew, and renewing would help: a certificate that ends with its authority cannot get longer. */
function isDue(olds: CertificateOutputs, news: CertificateInputs): boolean {
    const validity = news.validityDays ?? identityDefaults.validityDays;
    const before = news.renewBeforeDays ?? Math.min(identityDefaults.renewBeforeDays, validity / 3);
    if (!endsWithin(olds.notAfter, before)) {
        return false;
    }
    const [authority] = splitPem(olds.caCertPem);
    return authority === undefined || Date.parse(new X509Certificate(authority).validTo) > Date.parse(olds.notAfter);
}

function usageOf(inputs: CertificateInputs): readonly CertificateUsage[] {
    return inputs.usage ?? ["server", "client"];
}

async function issue(inputs: CertificateInputs): Promise<CertificateOutputs> {
    if (hasUnknown([inputs.caCertPem, inputs.caKeyPem])) {
        throw new Error(`a value that is not known yet (${unknownValue}) reached the issuing of a certificate`);
    }
    progressFor(inputs.progressUrn)("issuing the certificate");
    const { issueCertificate } = await import("./issue.js");
    const issued = await issueCertificate(
        {
            commonName: inputs.commonName,
            dnsNames: inputs.dnsNames ?? [],
            ipAddresses: inputs.ipAddresses ?? [],
            usage: usageOf(inputs),
            validityDays: inputs.validityDays ?? identityDefaults.validityDays,
        },
        { certPem: inputs.caCertPem, keyPem: inputs.caKeyPem },
    );
    return { ...inputs, ...issued };
}
