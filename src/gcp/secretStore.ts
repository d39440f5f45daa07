import * as secretmanager from "@pulumi/gcp/secretmanager/index.js";
import * as serviceaccount from "@pulumi/gcp/serviceaccount/index.js";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterIdentity } from "../cluster/clusterIdentity.js";
import { type BootItemName, bootItemNames } from "../emqx/boot/bootItems.js";
import type { BootSecretStore } from "../emqx/boot/userData.js";
import { bootSecretsScript, itemVariable } from "./bootSecrets.js";
import { physicalName } from "./names.js";
import { type GcpScope, place } from "./scope.js";

/** What a broker fetches at boot, in Secret Manager, and how. */
export interface GcpSecretStore {
    readonly store: pulumi.Output<BootSecretStore>;
    /** What a broker needs before it boots: every item, and the right to read it. */
    readonly ready: readonly pulumi.Resource[];
}

/** Longest id of a service account. */
const longestAccountId = 30;

/** The identity that a site's brokers act as. It has no role in the project; what it may read, each secret says. */
export function createAccount(scope: GcpScope): serviceaccount.Account {
    const { parent, plan, project } = scope;
    const name = `${plan.name}-account`;
    return new serviceaccount.Account(
        name,
        {
            project,
            accountId: physicalName(name, longestAccountId),
            displayName: `Brokers of ${plan.clusterName}`,
            description: "Reads the boot secrets of its own site. No role in the project.",
        },
        { parent },
    );
}

/** One secret per boot item, in the site's region and nowhere else. Who may write users' state or read this store knows the cluster's secrets. */
export function createSecretStore(
    scope: GcpScope,
    account: serviceaccount.Account,
    items: ClusterIdentity["bootItems"],
): GcpSecretStore {
    const stored = bootItemNames.map((item) => storeItem(scope, account, item, items[item]));
    return {
        store: pulumi.all(stored.map(({ secret }) => secret.id)).apply((ids) => ({
            script: bootSecretsScript,
            settings: Object.fromEntries(bootItemNames.map((item, index) => [itemVariable(item), ids[index] ?? ""])),
        })),
        ready: stored.flatMap(({ version, reader }) => [version, reader]),
    };
}

function storeItem(scope: GcpScope, account: serviceaccount.Account, item: BootItemName, value: pulumi.Output<string>) {
    const { parent, project, region, labels } = scope;
    const { name } = place(scope, `secret-${item}`);
    const secret = new secretmanager.Secret(
        name,
        { project, labels, replication: { userManaged: { replicas: [{ location: region }] } } },
        { parent },
    );
    // Another value makes another version before the old one goes; machines read the latest, so none is replaced.
    const version = new secretmanager.SecretVersion(`${name}-version`, { secret: secret.id, secretData: value }, { parent });
    const reader = new secretmanager.SecretIamMember(
        `${name}-reader`,
        {
            project,
            secretId: secret.secretId,
            role: "roles/secretmanager.secretAccessor",
            member: pulumi.interpolate`serviceAccount:${account.email}`,
        },
        { parent },
    );
    return { secret, version, reader };
}
