import { describe, expect, it } from "vitest";
import { dynamicType, dynamicTypes, providerText } from "../dynamic/resource.js";
import { storedForms } from "../dynamic/storedForm.js";
import type { CertificateInputs, CertificateOutputs } from "../identity/certificateProvider.js";
import type { MeshCaInputs, MeshCaOutputs } from "../identity/meshCaProvider.js";
import type { SecretsInputs, SecretsOutputs } from "../identity/secretsProvider.js";
import * as provider from "../provider.js";
import type { AccessInputs, AccessOutputs } from "./linkAccessRules.js";
import type { LinkInputs, LinkOutputs } from "./linkInputs.js";
import type { PreflightInputs, PreflightOutputs } from "./preflightRules.js";

/**
 * What users' state holds. State outlives every version of the package: rows and keys may be added here, never changed or removed.
 */
const types = {
    clusterLink: "pulumi-nodejs:dynamic/linkspan:ClusterLink",
    linkAccess: "pulumi-nodejs:dynamic/linkspan:LinkAccess",
    clusterPreflight: "pulumi-nodejs:dynamic/linkspan:ClusterPreflight",
    deliveryProbe: "pulumi-nodejs:dynamic/linkspan:DeliveryProbe",
    localBroker: "pulumi-nodejs:dynamic/linkspan:LocalBroker",
    meshCa: "pulumi-nodejs:dynamic/linkspan:MeshCa",
    certificate: "pulumi-nodejs:dynamic/linkspan:Certificate",
    secrets: "pulumi-nodejs:dynamic/linkspan:Secrets",
} as const;

/** Every key of a type: leaving one out, or having one too many, does not compile. */
type Keys<T> = { readonly [K in keyof Required<T>]: true };
/** Keys of the outputs that are not inputs. */
type Own<O, I> = Keys<Omit<O, keyof I>>;
const sorted = (keys: object) => Object.keys(keys).sort().join(" ");

const link: Keys<LinkInputs> = {
    api: true,
    localCluster: true,
    name: true,
    server: true,
    clientIdPrefix: true,
    username: true,
    password: true,
    topics: true,
    enable: true,
    tls: true,
    poolSize: true,
    retryInterval: true,
    maxInflight: true,
    maxOutageSeconds: true,
    adopt: true,
    allowLoopback: true,
    timeouts: true,
    storeId: true,
    progressUrn: true,
    sealed: true,
};
const linkOwn: Own<LinkOutputs, LinkInputs> = { status: true, changedAt: true, drift: true, tlsShape: true, hasPassword: true };
const access: Keys<AccessInputs> = {
    api: true,
    localCluster: true,
    peer: true,
    username: true,
    password: true,
    manageSources: true,
    allowLoopback: true,
    timeouts: true,
    storeId: true,
    progressUrn: true,
    sealed: true,
};
const accessOwn: Own<AccessOutputs, AccessInputs> = { login: true, drift: true };
const preflight: Keys<PreflightInputs> = {
    api: true,
    expectedClusterName: true,
    tls: true,
    allowLoopback: true,
    timeouts: true,
    progressUrn: true,
};
const preflightOwn: Own<PreflightOutputs, PreflightInputs> = { version: true, licenseType: true, nodes: true };
const ca: Keys<MeshCaInputs> = { commonName: true, validityDays: true, rotation: true, progressUrn: true };
const caOwn: Own<MeshCaOutputs, MeshCaInputs> = { certPem: true, keyPem: true, notAfter: true };
const certificate: Keys<CertificateInputs> = {
    caCertPem: true,
    caKeyPem: true,
    commonName: true,
    dnsNames: true,
    ipAddresses: true,
    usage: true,
    validityDays: true,
    renewBeforeDays: true,
    rotation: true,
    progressUrn: true,
};
const certificateOwn: Own<CertificateOutputs, CertificateInputs> = { certPem: true, keyPem: true, notAfter: true };
const secrets: Keys<SecretsInputs> = { names: true, bytes: true, rotation: true, progressUrn: true };
const secretsOwn: Own<SecretsOutputs, SecretsInputs> = { values: true };

describe("what users' state names", () => {
    it("has the frozen places of arguments, secrets and outputs", () => {
        expect(storedForms).toEqual({
            clusterLink: {
                secrets: ["api", "password", "tls"],
                made: ["status", "changedAt", "drift", "tlsShape", "hasPassword"],
            },
            linkAccess: { secrets: ["api", "password"], made: ["login", "drift"] },
            deliveryProbe: { secrets: ["a", "b"], made: ["results"] },
        });
    });

    it("has the frozen type tokens", () => {
        expect(
            Object.fromEntries(Object.keys(dynamicTypes).map((kind) => [kind, dynamicType(kind as keyof typeof dynamicTypes)])),
        ).toEqual(types);
    });

    it("has the frozen provider texts, which hold nothing but the package's entry", () => {
        for (const kind of Object.keys(types) as (keyof typeof types)[]) {
            expect(providerText(kind)).toBe(`exports.handler=()=>require("linkspan/provider").${kind};`);
        }
    });

    it("finds every kind in linkspan/provider, with a whole lifecycle", () => {
        expect(Object.keys(provider).sort()).toEqual(Object.keys(types).sort());
        for (const implementation of Object.values(provider)) {
            expect(Object.keys(implementation).sort()).toEqual(["check", "create", "delete", "diff", "read", "update"]);
        }
    });

    it("keeps the stored keys of every kind", () => {
        expect(sorted(link)).toBe(
            "adopt allowLoopback api clientIdPrefix enable localCluster maxInflight maxOutageSeconds name password poolSize progressUrn retryInterval sealed server storeId timeouts tls topics username",
        );
        expect(sorted(linkOwn)).toBe("changedAt drift hasPassword status tlsShape");
        expect(sorted(access)).toBe(
            "allowLoopback api localCluster manageSources password peer progressUrn sealed storeId timeouts username",
        );
        expect(sorted(accessOwn)).toBe("drift login");
        expect(sorted(preflight)).toBe("allowLoopback api expectedClusterName progressUrn timeouts tls");
        expect(sorted(preflightOwn)).toBe("licenseType nodes version");
        expect(sorted(ca)).toBe("commonName progressUrn rotation validityDays");
        expect(sorted(caOwn)).toBe("certPem keyPem notAfter");
        expect(sorted(certificate)).toBe(
            "caCertPem caKeyPem commonName dnsNames ipAddresses progressUrn renewBeforeDays rotation usage validityDays",
        );
        expect(sorted(certificateOwn)).toBe("certPem keyPem notAfter");
        expect(sorted(secrets)).toBe("bytes names progressUrn rotation");
        expect(sorted(secretsOwn)).toBe("values");
    });
});
