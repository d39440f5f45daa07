import * as iam from "@pulumi/aws/iam/index.js";
import * as ssm from "@pulumi/aws/ssm/index.js";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterIdentity } from "../cluster/clusterIdentity.js";
import { type BootItemName, bootItemNames } from "../emqx/boot/bootItems.js";
import type { BootSecretStore } from "../emqx/boot/userData.js";
import { InputError } from "../errors.js";
import { failOn } from "../input.js";
import type { AwsSiteArgs } from "./args.js";
import { bootSecretsScript } from "./bootSecrets.js";
import { dnsSuffix } from "./regions.js";
import { type AwsScope, boundary, place } from "./scope.js";

/** What a broker fetches at boot, in Systems Manager's Parameter Store, and how. */
export interface AwsSecretStore {
    readonly store: BootSecretStore;
    /** Name of the instance profile by which a broker may read the items, and nothing else. */
    readonly instanceProfile: pulumi.Output<string>;
    /** What a broker needs before it boots: every item, and the right to read it. */
    readonly ready: readonly pulumi.Resource[];
}

/** Bytes that a parameter may hold, by tier. */
const largest = { Standard: 4096, Advanced: 8192 } as const;
type ParameterTier = keyof typeof largest;

/** One encrypted parameter per boot item, below a path of the site's own, and a role that may read these and nothing else. */
export function createSecretStore(
    scope: AwsScope,
    args: Pick<AwsSiteArgs, "users" | "identity">,
    items: ClusterIdentity["bootItems"],
): AwsSecretStore {
    const { plan, region } = scope;
    const prefix = `/linkspan/${plan.meshId}/${plan.name}`;
    const parameters = bootItemNames.map((item) => storeItem(scope, prefix, item, tierOf(item, args), items[item]));
    const { profile, policy } = brokerIdentity(scope, parameters);
    return {
        store: {
            script: bootSecretsScript,
            settings: {
                AWS_REGION: region,
                SSM_URL: `https://${serviceHost(region)}`,
                PARAMETER_PREFIX: prefix,
            },
        },
        instanceProfile: profile.name,
        ready: [...parameters, policy],
    };
}

function serviceHost(region: string): string {
    return `ssm.${region}.${dnsSuffix(region)}`;
}

function storeItem(
    scope: AwsScope,
    prefix: string,
    item: BootItemName,
    tier: ParameterTier,
    value: pulumi.Output<string>,
): ssm.Parameter {
    const { parent, region, plan, kmsKeyId } = scope;
    const at = place(scope, `secret-${item}`);
    return new ssm.Parameter(
        at.name,
        {
            region,
            name: `${prefix}/${item}`,
            description: `Boot item ${item} of ${plan.clusterName}`,
            type: "SecureString",
            tier,
            value: pulumi.secret(value.apply((text) => failOn(parent, () => checkSize(item, tier, text)))),
            ...(kmsKeyId === undefined ? {} : { keyId: kmsKeyId }),
            tags: at.tags,
        },
        // The name is the item's: two cannot exist at once. Another value is an update in place.
        { parent, deleteBeforeReplace: true },
    );
}

/** What can be larger than 4 KB: lists of users, and chains of an authority of the user's own. An advanced parameter costs a little. */
function tierOf(item: BootItemName, { users, identity }: Pick<AwsSiteArgs, "users" | "identity">): ParameterTier {
    const large =
        (item === "users" && users !== undefined) ||
        (["ca", "server-cert", "link-cert"].includes(item) && identity !== undefined);
    return large ? "Advanced" : "Standard";
}

/**
 * Checks that an item fits into its parameter: AWS would say so after half of the site was made.
 *
 * @throws InputError naming the argument; never the text
 */
export function checkSize(item: BootItemName, tier: ParameterTier, text: string): string {
    const bytes = Buffer.byteLength(text);
    if (bytes > largest[tier]) {
        throw new InputError(
            item === "users" ? "users" : item === "license" ? "license" : "identity",
            `the item ${item} has ${bytes} bytes, and a parameter of AWS holds ${largest[tier]}; ${
                item === "users" ? "give fewer users here and make the others over EMQX's API" : "use a shorter one"
            }`,
        );
    }
    return text;
}

function brokerIdentity(scope: AwsScope, parameters: readonly ssm.Parameter[]) {
    const { parent, region, plan, kmsKeyId } = scope;
    const rolePlace = place(scope, "broker-role");
    const role = new iam.Role(
        rolePlace.name,
        {
            description: `Brokers of ${plan.clusterName}: read the boot items of their own site`,
            assumeRolePolicy: pulumi.jsonStringify({
                Version: "2012-10-17",
                Statement: [{ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }],
            }),
            ...boundary(scope),
            tags: rolePlace.tags,
        },
        { parent },
    );
    const read = { Effect: "Allow", Action: "ssm:GetParameter", Resource: parameters.map(({ arn }) => arn) };
    const decrypt = {
        Effect: "Allow",
        Action: "kms:Decrypt",
        Resource: kmsKeyId,
        Condition: { StringEquals: { "kms:ViaService": serviceHost(region) } },
    };
    const policy = new iam.RolePolicy(
        `${plan.name}-broker-policy`,
        {
            role: role.name,
            policy: pulumi.jsonStringify({
                Version: "2012-10-17",
                Statement: kmsKeyId === undefined ? [read] : [read, decrypt],
            }),
        },
        { parent },
    );
    const profilePlace = place(scope, "broker-profile");
    const profile = new iam.InstanceProfile(profilePlace.name, { role: role.name, tags: profilePlace.tags }, { parent });
    return { profile, policy };
}
