import * as pulumi from "@pulumi/pulumi";
import { type BootItemName, bootItemNames } from "../emqx/boot/bootItems.js";
import type { Certificate } from "../identity/certificate.js";
import type { MeshIdentity } from "../identity/meshIdentity.js";
import { Secrets } from "../identity/secrets.js";
import type { DeviceUser } from "./args.js";
import { apiKeyName, type ClusterPlan, probeUser } from "./clusterPlan.js";

export { type BootItemName, bootItemNames };

/** Secrets and certificates of a cloud site's cluster. */
export interface ClusterIdentity {
    readonly secrets: Secrets;
    readonly caPem: pulumi.Output<string>;
    readonly link: Certificate;
    /** What goes into the cloud's secret store. All secret. */
    readonly bootItems: Readonly<Record<BootItemName, pulumi.Output<string>>>;
    /** The device users, the default one where none are given. */
    readonly users: readonly DeviceUser[];
    /** User name and password of the default device user; `undefined` where users are given. Secret. */
    readonly device: pulumi.Output<{ readonly username: string; readonly password: string }> | undefined;
}

/** What a cluster's identity is made from. */
export interface ClusterIdentityInput {
    readonly plan: ClusterPlan;
    readonly identity: MeshIdentity;
    /** Fixed public addresses of the site's doors. Known before any load balancer or broker exists, so that nothing waits in a circle. */
    readonly doorAddresses: readonly pulumi.Input<string>[];
    readonly clientNames?: readonly string[] | undefined;
    readonly license?: pulumi.Input<string> | undefined;
    readonly users?: readonly DeviceUser[] | undefined;
}

/**
 * Makes a cluster's secrets and certificates.
 *
 * Creates: `<site>-secrets`, `<site>-server-certificate` (devices and REST API), `<site>-link-certificate` (links, both roles).
 */
export function clusterIdentity(parent: pulumi.Resource, input: ClusterIdentityInput): ClusterIdentity {
    const { plan, identity, users } = input;
    const { name } = plan;
    const secrets = new Secrets(
        `${name}-secrets`,
        { names: ["api", "probe", "device", "link", "cookie", "dashboard"] },
        { parent },
    );
    const server = identity.issue(
        `${name}-server-certificate`,
        {
            commonName: plan.clusterName,
            // The machine itself speaks to its API by `localhost`.
            dnsNames: ["localhost", plan.clusterName, ...(input.clientNames ?? [])],
            ipAddresses: ["127.0.0.1", ...input.doorAddresses, ...plan.nodes.map(({ address }) => address)],
            usage: ["server"],
        },
        { parent },
    );
    // Nothing but the stable name, in every tier: a path may change, the certificate does not.
    const link = identity.issue(
        `${name}-link-certificate`,
        { commonName: plan.linkHost, dnsNames: [plan.linkHost], usage: ["server", "client"] },
        { parent },
    );
    const device = { username: "device", password: secrets.value("device") };
    const devices = users ?? [device];
    const logins = [{ username: probeUser, password: secrets.value("probe") }, ...devices];
    const license =
        plan.license === "key" ? pulumi.output(input.license ?? "") : plan.license === "evaluation" ? "evaluation" : "default";
    const items: Readonly<Record<BootItemName, pulumi.Input<string>>> = {
        cookie: secrets.value("cookie"),
        "dashboard-password": secrets.value("dashboard"),
        "api-keys": pulumi.interpolate`${apiKeyName}:${secrets.value("api")}:administrator\n`,
        users: pulumi
            .all(logins.map(({ username, password }) => pulumi.interpolate`${username},${csvField(password)},false\n`))
            .apply((lines) => `user_id,password,is_superuser\n${lines.join("")}`),
        license,
        ca: identity.caPem,
        "server-cert": server.certPem,
        "server-key": server.keyPem,
        "link-cert": link.certPem,
        "link-key": link.keyPem,
    };
    return {
        secrets,
        caPem: identity.caPem,
        link,
        bootItems: Object.fromEntries(
            Object.entries(items).map(([item, value]) => [item, pulumi.secret(value)]),
        ) as ClusterIdentity["bootItems"],
        users: devices,
        device:
            users === undefined
                ? pulumi.secret(device.password.apply((password) => ({ username: device.username, password })))
                : undefined,
    };
}

/** A password as a CSV field: quoted where it must be. */
function csvField(value: pulumi.Output<string>): pulumi.Output<string> {
    return value.apply((text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text));
}
