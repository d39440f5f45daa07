import * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../dynamic/resource.js";
import { failOn } from "../input.js";
import { type CertificateUsage, checkCertificate, checkRotation } from "./certificateRules.js";

/** What a certificate is to say. Names and addresses may be outputs; they are checked as soon as they are known. */
export interface CertificateSubject {
    /** Name shown to readers; beyond 64 characters it is cut. Peers compare `dnsNames` and `ipAddresses`. */
    readonly commonName: pulumi.Input<string>;
    /** @default none */
    readonly dnsNames?: pulumi.Input<readonly pulumi.Input<string>[] | undefined>;
    /** @default none */
    readonly ipAddresses?: pulumi.Input<readonly pulumi.Input<string>[] | undefined>;
    /** @default ["server", "client"] */
    readonly usage?: readonly CertificateUsage[] | undefined;
    /** @default 397, and never beyond the authority's own end */
    readonly validityDays?: number | undefined;
    /**
     * The first `up` that finds fewer days left renews the certificate.
     * @default 30, or a third of `validityDays` where that is less
     */
    readonly renewBeforeDays?: number | undefined;
    /**
     * Raise it by 1 for a new key and certificate.
     * @default 0
     */
    readonly rotation?: number | undefined;
}

/** Arguments of {@link Certificate}. */
export interface CertificateArgs extends CertificateSubject {
    /** PEM of the authority. */
    readonly caCertPem: pulumi.Input<string>;
    /** PEM of the authority's key. Always kept as a secret. */
    readonly caKeyPem: pulumi.Input<string>;
}

/** A certificate with an EC P-256 key of its own, issued by a mesh's authority. Stable between runs, renewed in place. */
export class Certificate extends DynamicResource {
    /** PEM; certificates between it and the root follow it. */
    declare readonly certPem: pulumi.Output<string>;
    /** PEM, PKCS #8. Secret. */
    declare readonly keyPem: pulumi.Output<string>;
    /** End of the validity, ISO 8601. */
    declare readonly notAfter: pulumi.Output<string>;

    constructor(name: string, args: CertificateArgs, opts: pulumi.CustomResourceOptions = {}) {
        super(
            "certificate",
            name,
            { ...args, caKeyPem: pulumi.secret(args.caKeyPem), certPem: undefined, keyPem: undefined, notAfter: undefined },
            { ...opts, additionalSecretOutputs: ["keyPem", "caKeyPem", ...(opts.additionalSecretOutputs ?? [])] },
        );
        failOn(this, () => {
            checkCertificate({
                commonName: plainString(args.commonName),
                dnsNames: plainStrings(args.dnsNames),
                ipAddresses: plainStrings(args.ipAddresses),
                usage: args.usage,
                validityDays: args.validityDays,
                renewBeforeDays: args.renewBeforeDays,
            });
            checkRotation("rotation", args.rotation);
        });
    }
}

/** A certificate and its key as one secret value. */
export function keyPair({ certPem, keyPem }: Certificate): pulumi.Output<{ readonly cert: string; readonly key: string }> {
    return pulumi.secret(pulumi.all([certPem, keyPem]).apply(([cert, key]) => ({ cert, key })));
}

function plainString(value: pulumi.Input<string>): string | undefined {
    return typeof value === "string" ? value : undefined;
}

function plainStrings(value: pulumi.Input<readonly pulumi.Input<string>[] | undefined>): readonly string[] | undefined {
    return Array.isArray(value) && value.every((one) => typeof one === "string") ? (value as readonly string[]) : undefined;
}
