import { textAt, textsAt } from "../paths.mts";
import { type AccountView, CloudError, type ResourceType } from "../types.mts";
import { accountId, arn, freshId, hex, refuse, regional, regionOf } from "./naming.mts";
import { types } from "./tokens.mts";

function json(text: unknown): unknown {
    try {
        return JSON.parse(String(text));
    } catch {
        return undefined;
    }
}

const exists = (kind: string) => (text: string) =>
    new CloudError("EntityAlreadyExists", `${kind} with name ${text} already exists.`);

const role: ResourceType = {
    required: ["assumeRolePolicy"],
    autoName: { max: 64 },
    replaceOn: ["name", "namePrefix", "path"],
    unique: ({ inputs }) => [textAt(inputs, "name")],
    duplicate: exists("Role"),
    verify: ({ inputs }) => {
        refuse(json(inputs.assumeRolePolicy) === undefined, "MalformedPolicyDocument", "This policy contains invalid Json");
        // IAM takes no other characters, although the SDK's type is any text.
        refuse(
            !/^[\s\u0020-\u007E\u00A1-\u00FF]{0,1000}$/.test(textAt(inputs, "description")),
            "ValidationError",
            "Value at 'description' failed to satisfy constraint",
        );
    },
    id: ({ inputs }) => textAt(inputs, "name"),
    outputs: ({ inputs, account, object }) =>
        object === undefined
            ? {
                  arn: `arn:aws:iam::${accountId}:role/${textAt(inputs, "name")}`,
                  uniqueId: `AROA${hex(`role${account.next("role")}`, 16).toUpperCase()}`,
              }
            : {},
    handles: ({ id, outputs }) => [id, textAt(outputs, "arn")],
    inUse: (_object, by) =>
        new CloudError(
            "DeleteConflict",
            by.type === types.instanceProfile
                ? "Cannot delete entity, must remove roles from instance profile first."
                : "Cannot delete entity, must delete policies first.",
        ),
    timing: { create: 15, remove: 10, usableAfter: 40 },
};

const rolePolicy: ResourceType = {
    required: ["role", "policy"],
    autoName: { max: 128 },
    references: [{ path: "role", to: types.role }],
    replaceOn: ["name", "namePrefix", "role"],
    unique: ({ inputs }) => [`${textAt(inputs, "role")}:${textAt(inputs, "name")}`],
    verify: ({ inputs }) => {
        const policy = textAt(inputs, "policy");
        refuse(json(policy) === undefined, "MalformedPolicyDocument", "The policy is not in the valid JSON format.");
        refuse(
            policy.replaceAll(/\s/g, "").length > 10_240,
            "LimitExceeded",
            `Maximum policy size of 10240 bytes exceeded for role ${textAt(inputs, "role")}`,
        );
    },
    id: ({ inputs }) => `${textAt(inputs, "role")}:${textAt(inputs, "name")}`,
    timing: { create: 10, remove: 5, usableAfter: 60 },
};

const instanceProfile: ResourceType = {
    autoName: { max: 128 },
    references: [{ path: "role", to: types.role }],
    replaceOn: ["name", "namePrefix", "path"],
    unique: ({ inputs }) => [textAt(inputs, "name")],
    duplicate: exists("Instance Profile"),
    id: ({ inputs }) => textAt(inputs, "name"),
    outputs: ({ inputs }) => ({ arn: `arn:aws:iam::${accountId}:instance-profile/${textAt(inputs, "name")}` }),
    handles: ({ id, outputs }) => [id, textAt(outputs, "arn")],
    timing: { create: 15, remove: 10, usableAfter: 80 },
};

const mostCharacters = { Standard: 4096, Advanced: 8192 } as const;

const parameter: ResourceType = {
    required: ["type"],
    autoName: { max: 2048 },
    defaults: (scope) => ({ ...regional(scope), tier: "Standard" }),
    replaceOn: ["name", "region"],
    unique: (scope) => [`${regionOf(scope)} ${textAt(scope.inputs, "name")}`],
    duplicate: () =>
        new CloudError(
            "ParameterAlreadyExists",
            "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
        ),
    verify: ({ inputs }) => {
        const tier = textAt(inputs, "tier") === "Advanced" ? "Advanced" : "Standard";
        const value = textAt(inputs, "value");
        refuse(value === "", "ValidationException", "Parameter value can't be empty");
        refuse(
            Buffer.byteLength(value) > mostCharacters[tier],
            "ValidationException",
            `${tier} tier parameters support a maximum parameter value of ${mostCharacters[tier]} characters.`,
        );
        refuse(
            !/^[a-zA-Z0-9_.\-/]+$/.test(textAt(inputs, "name")) || /^\/?(aws|ssm)/i.test(textAt(inputs, "name")),
            "ValidationException",
            `Parameter name: can't be prefixed with "aws" or "ssm" (case-insensitive) and takes letters, digits and . - _ / only`,
        );
    },
    id: ({ inputs }) => textAt(inputs, "name"),
    outputs: (scope) => ({
        arn: arn("ssm", regionOf(scope), `parameter/${textAt(scope.inputs, "name").replace(/^\//, "")}`),
        version: scope.object === undefined ? 1 : Number(scope.object.outputs.version) + 1,
    }),
    volatile: () => ["version"],
    timing: { create: 10, remove: 5 },
};

const logGroup: ResourceType = {
    autoName: { max: 512 },
    defaults: regional,
    replaceOn: ["name", "namePrefix", "logGroupClass", "region"],
    unique: (scope) => [`${regionOf(scope)} ${textAt(scope.inputs, "name")}`],
    duplicate: () => new CloudError("ResourceAlreadyExistsException", "The specified log group already exists"),
    id: ({ inputs }) => textAt(inputs, "name"),
    outputs: (scope) => ({ arn: arn("logs", regionOf(scope), `log-group:${textAt(scope.inputs, "name")}`) }),
    handles: ({ id, outputs }) => [id, textAt(outputs, "arn")],
    timing: { create: 10, remove: 5 },
};

const flowLog: ResourceType = {
    defaults: (scope) => ({ ...regional(scope), maxAggregationInterval: 600 }),
    references: [
        // They go with their network.
        { path: "vpcId", to: types.vpc, holds: false },
        { path: "logDestination", to: types.logGroup, holds: false },
        { path: "iamRoleArn", to: types.role, holds: false },
    ],
    replaceOn: ["vpcId", "trafficType", "logDestination", "logDestinationType", "iamRoleArn", "maxAggregationInterval", "region"],
    verify: ({ inputs }) =>
        refuse(
            inputs.logDestinationType === "cloud-watch-logs" && inputs.iamRoleArn === undefined,
            "InvalidParameter",
            "DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs.",
        ),
    unique: ({ inputs }) => [`${textAt(inputs, "vpcId")} ${textAt(inputs, "logDestination")}`],
    duplicate: () =>
        new CloudError("FlowLogAlreadyExists", "There is an existing Flow Log with the same configuration and log destination."),
    id: ({ account }) => freshId(account, "fl"),
    timing: { create: 10, remove: 5 },
};

export const identityTypes: Readonly<Record<string, ResourceType>> = {
    [types.role]: role,
    [types.rolePolicy]: rolePolicy,
    [types.instanceProfile]: instanceProfile,
    [types.parameter]: parameter,
    [types.logGroup]: logGroup,
    [types.flowLog]: flowLog,
};

/** Whether a role may do something now: its policies allow it, and have become known everywhere. */
export function mayDo(account: AccountView, roleName: string, action: string, resource: string): boolean {
    return account
        .list(types.rolePolicy)
        .filter(({ inputs, usableAt }) => inputs.role === roleName && usableAt <= Date.now())
        .flatMap(({ inputs }) => [(json(inputs.policy) as { Statement?: unknown } | undefined)?.Statement].flat())
        .some(
            (statement) =>
                textAt(statement, "Effect") === "Allow" &&
                [...textsAt(statement, "Action"), ...textsAt(statement, "Action[]")].some((each) => fits(each, action)) &&
                [...textsAt(statement, "Resource"), ...textsAt(statement, "Resource[]")].some((each) => fits(each, resource)),
        );
}

/** IAM's patterns: `*` stands for any text. */
function fits(pattern: string, text: string): boolean {
    return new RegExp(`^${pattern.split("*").map(escapeText).join(".*")}$`).test(text);
}

function escapeText(text: string): string {
    return text.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&");
}
