import { describe, expect, it } from "vitest";
import type { LicenseInputs, LicenseOutputs } from "../cluster/clusterLicenseRules.js";
import type { DeviceUserInputs, DeviceUserOutputs } from "../cluster/deviceLoginRules.js";
import type { DepartureInputs, MembershipInputs, MembershipOutputs } from "../cluster/nodeMembershipRules.js";
import type { PackagePinInputs, PackagePinOutputs, PinInputs, PinOutputs } from "../cluster/pinRules.js";
import { dynamicType, dynamicTypes, providerText } from "../dynamic/resource.js";
import { storedForms } from "../dynamic/storedForm.js";
import type { DeviceFilesInputs, DeviceFilesOutputs } from "../external/deviceFilesRules.js";
import type { CertificateInputs, CertificateOutputs } from "../identity/certificateProvider.js";
import type { MeshCaInputs, MeshCaOutputs } from "../identity/meshCaProvider.js";
import type { SecretsInputs, SecretsOutputs } from "../identity/secretsProvider.js";
import type { LocalNameInputs } from "../local/network/localNameProvider.js";
import type { LocalNetworkInputs, LocalNetworkOutputs } from "../local/network/localNetworkProvider.js";
import type { LocalPathInputs, LocalPathOutputs } from "../local/network/localPathProvider.js";
import * as provider from "../provider.js";
import type { AccessInputs, AccessOutputs } from "./linkAccessRules.js";
import type { LinkInputs, LinkOutputs } from "./linkInputs.js";
import type { PathInputs, PathOutputs } from "./linkPathRules.js";
import type { SwitchInputs, SwitchOutputs } from "./pathSwitchRules.js";
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
    nodeMembership: "pulumi-nodejs:dynamic/linkspan:NodeMembership",
    nodeDeparture: "pulumi-nodejs:dynamic/linkspan:NodeDeparture",
    pin: "pulumi-nodejs:dynamic/linkspan:Pin",
    packagePin: "pulumi-nodejs:dynamic/linkspan:PackagePin",
    deviceFiles: "pulumi-nodejs:dynamic/linkspan:DeviceFiles",
    linkPath: "pulumi-nodejs:dynamic/linkspan:LinkPath",
    pathSwitch: "pulumi-nodejs:dynamic/linkspan:PathSwitch",
    localNetwork: "pulumi-nodejs:dynamic/linkspan:LocalNetwork",
    localPath: "pulumi-nodejs:dynamic/linkspan:LocalPath",
    localName: "pulumi-nodejs:dynamic/linkspan:LocalName",
    clusterLicense: "pulumi-nodejs:dynamic/linkspan:ClusterLicense",
    deviceUser: "pulumi-nodejs:dynamic/linkspan:DeviceUser",
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
const departure: Keys<DepartureInputs> = { api: true, clusterName: true, nodeName: true, timeouts: true, progressUrn: true };
const membership: Keys<MembershipInputs> = { ...departure, members: true, gate: true, version: true };
const membershipOwn: Own<MembershipOutputs, MembershipInputs> = { joinedAt: true };
const pin: Keys<PinInputs> = { value: true, release: true, progressUrn: true };
const pinOwn: Own<PinOutputs, PinInputs> = { pinned: true };
const packagePin: Keys<PackagePinInputs> = { url: true, progressUrn: true };
const packagePinOwn: Own<PackagePinOutputs, PackagePinInputs> = { sha256: true, bytes: true };
const files: Keys<DeviceFilesInputs> = { folder: true, files: true, progressUrn: true };
const filesOwn: Own<DeviceFilesOutputs, DeviceFilesInputs> = { paths: true, digests: true };
const path: Keys<PathInputs> = {
    api: true,
    localCluster: true,
    remoteCluster: true,
    host: true,
    port: true,
    tier: true,
    tls: true,
    username: true,
    password: true,
    timeouts: true,
    progressUrn: true,
};
const pathOwn: Own<PathOutputs, PathInputs> = { reached: true, verdict: true };
const move: Keys<SwitchInputs> = {
    api: true,
    remoteCluster: true,
    clientIdPrefix: true,
    path: true,
    sources: true,
    nameSeconds: true,
    timeouts: true,
    progressUrn: true,
};
const network: Keys<LocalNetworkInputs> = { stateDir: true, progressUrn: true };
const networkOwn: Own<LocalNetworkOutputs, LocalNetworkInputs> = { pid: true, startTime: true };
const localPath: Keys<LocalPathInputs> = {
    stateDir: true,
    site: true,
    peer: true,
    peerNumber: true,
    tier: true,
    part: true,
    admits: true,
    tunnels: true,
    line: true,
    wait: true,
    progressUrn: true,
};
const localPathOwn: Own<LocalPathOutputs, LocalPathInputs> = { digest: true };
const localName: Keys<LocalNameInputs> = { namesDir: true, host: true, address: true, port: true, progressUrn: true };
const license: Keys<LicenseInputs> = { api: true, clusterName: true, key: true, timeouts: true, progressUrn: true };
const licenseOwn: Own<LicenseOutputs, LicenseInputs> = { keyDigest: true, licenseType: true, maxSessions: true, expiresAt: true };
const deviceUser: Keys<DeviceUserInputs> = {
    api: true,
    clusterName: true,
    username: true,
    password: true,
    timeouts: true,
    progressUrn: true,
};
const deviceUserOwn: Own<DeviceUserOutputs, DeviceUserInputs> = { drift: true };
const moveOwn: Own<SwitchOutputs, SwitchInputs> = { movedAt: true, moved: true };

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
        expect(sorted(membership)).toBe("api clusterName gate members nodeName progressUrn timeouts version");
        expect(sorted(membershipOwn)).toBe("joinedAt");
        expect(sorted(departure)).toBe("api clusterName nodeName progressUrn timeouts");
        expect(sorted(pin)).toBe("progressUrn release value");
        expect(sorted(pinOwn)).toBe("pinned");
        expect(sorted(packagePin)).toBe("progressUrn url");
        expect(sorted(packagePinOwn)).toBe("bytes sha256");
        expect(sorted(files)).toBe("files folder progressUrn");
        expect(sorted(filesOwn)).toBe("digests paths");
        expect(sorted(path)).toBe("api host localCluster password port progressUrn remoteCluster tier timeouts tls username");
        expect(sorted(pathOwn)).toBe("reached verdict");
        expect(sorted(move)).toBe("api clientIdPrefix nameSeconds path progressUrn remoteCluster sources timeouts");
        expect(sorted(moveOwn)).toBe("moved movedAt");
        expect(sorted(network)).toBe("progressUrn stateDir");
        expect(sorted(networkOwn)).toBe("pid startTime");
        expect(sorted(localPath)).toBe("admits line part peer peerNumber progressUrn site stateDir tier tunnels wait");
        expect(sorted(localPathOwn)).toBe("digest");
        expect(sorted(license)).toBe("api clusterName key progressUrn timeouts");
        expect(sorted(licenseOwn)).toBe("expiresAt keyDigest licenseType maxSessions");
        expect(sorted(deviceUser)).toBe("api clusterName password progressUrn timeouts username");
        expect(sorted(deviceUserOwn)).toBe("drift");
        expect(sorted(localName)).toBe("address host namesDir port progressUrn");
    });
});
