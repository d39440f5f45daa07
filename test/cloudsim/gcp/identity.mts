import { itemsAt, textAt } from "../paths.mts";
import { type AccountView, CloudError, type CloudObject, type ResourceType } from "../types.mts";
import { nameIn, projectOf, refuse } from "./naming.mts";
import { types } from "./tokens.mts";

const account: ResourceType = {
    autoName: { property: "accountId", max: 30 },
    replaceOn: ["accountId", "project"],
    verify: ({ inputs }) => {
        const id = textAt(inputs, "accountId");
        refuse(
            !/^[a-z](?:[-a-z0-9]{4,28}[a-z0-9])$/.test(id),
            "accountId",
            `"account_id" ("${id}") doesn't match regexp "^[a-z](?:[-a-z0-9]{4,28}[a-z0-9])$"`,
        );
    },
    id: (scope) => `projects/${projectOf(scope)}/serviceAccounts/${emailOf(textAt(scope.inputs, "accountId"), projectOf(scope))}`,
    outputs: (scope) => {
        const email = emailOf(textAt(scope.inputs, "accountId"), projectOf(scope));
        const uniqueId =
            textAt(scope.object?.outputs, "uniqueId") || `1${String(scope.account.next("account")).padStart(20, "0")}`;
        return { email, member: `serviceAccount:${email}`, name: scope.id, uniqueId, project: projectOf(scope) };
    },
    handles: ({ id, outputs }) => [id, textAt(outputs, "email"), textAt(outputs, "member")],
    // Who asks for it at once may be told that it does not exist.
    timing: { create: 20, remove: 10, usableAfter: 40 },
};

function emailOf(id: string, project: string): string {
    return `${id}@${project}.iam.gserviceaccount.com`;
}

const secret: ResourceType = {
    required: ["replication"],
    autoName: { property: "secretId", max: 255 },
    replaceOn: ["secretId", "replication", "project"],
    verify: ({ inputs }) => {
        refuse(
            !/^[a-zA-Z0-9_-]{1,255}$/.test(textAt(inputs, "secretId")),
            "400",
            `Invalid resource field value in the request: secret_id '${textAt(inputs, "secretId")}'`,
        );
        const { auto, userManaged } = (inputs.replication ?? {}) as { auto?: unknown; userManaged?: unknown };
        refuse((auto === undefined) === (userManaged === undefined), "400", "Exactly one of auto and userManaged must be set");
        refuse(
            userManaged !== undefined && itemsAt(inputs, "replication.userManaged.replicas").length === 0,
            "400",
            "A user-managed replication needs a replica",
        );
    },
    id: (scope) => `projects/${projectOf(scope)}/secrets/${textAt(scope.inputs, "secretId")}`,
    outputs: (scope) => ({
        name: `projects/100000000001/secrets/${textAt(scope.inputs, "secretId")}`,
        project: projectOf(scope),
    }),
    handles: ({ id, inputs }) => [id, textAt(inputs, "secretId")],
    timing: { create: 10, remove: 10 },
};

/** Largest value of one version, bytes. */
const mostSecret = 65_536;

const secretVersion: ResourceType = {
    required: ["secret"],
    // A secret that is deleted takes its versions along.
    references: [{ path: "secret", to: types.secret, holds: false }],
    replaceOn: ["secret", "secretData"],
    defaults: () => ({ enabled: true }),
    verify: ({ inputs }) => {
        const bytes = Buffer.byteLength(textAt(inputs, "secretData"));
        refuse(bytes === 0, "400", "The secret payload cannot be empty");
        refuse(bytes > mostSecret, "400", `The secret payload size exceeds the ${mostSecret} byte limit`);
    },
    id: ({ account: view, inputs }) => {
        const owner = view.find(types.secret, inputs.secret);
        return `${owner?.id ?? ""}/versions/${view.next(`versions of ${owner?.id ?? ""}`)}`;
    },
    outputs: ({ id }) => ({ name: id, version: nameIn(id), createTime: "2026-01-01T00:00:00Z" }),
    timing: { create: 10, remove: 5 },
};

const secretIamMember: ResourceType = {
    required: ["secretId", "role", "member"],
    references: [
        { path: "secretId", to: types.secret, holds: false },
        {
            path: "member",
            to: types.account,
            holds: false,
            foreign: (value) => !value.startsWith("serviceAccount:"),
            missing: (value) =>
                new CloudError("400", `Service account ${value.replace(/^serviceAccount:/, "")} does not exist., badRequest`),
        },
    ],
    replaceOn: "all",
    verify: ({ inputs }) =>
        refuse(
            !/^roles\/[\w.]+$|^(projects|organizations)\/[^/]+\/roles\/\w+$/.test(textAt(inputs, "role")),
            "400",
            `Role ${textAt(inputs, "role")} is not supported for this resource`,
        ),
    id: ({ account: view, inputs }) =>
        `${view.find(types.secret, inputs.secretId)?.id ?? ""}/${textAt(inputs, "role")}/${textAt(inputs, "member")}`,
    outputs: () => ({ etag: "BwX" }),
    // Members are written into the secret's policy one after the other.
    lock: ({ inputs }) => ({ key: `gcp iam ${textAt(inputs, "secretId")}`, busy: "queue" }),
    timing: { create: 10, remove: 5 },
};

export const identityTypes: Readonly<Record<string, ResourceType>> = {
    [types.account]: account,
    [types.secret]: secret,
    [types.secretVersion]: secretVersion,
    [types.secretIamMember]: secretIamMember,
};

/** The value of a secret's newest version, as a service account may read it; else the status that it gets. */
export function readSecret(view: AccountView, email: string, name: string): { readonly value: string } | 403 | 404 {
    const secret = view.find(types.secret, name);
    const reader = view
        .list(types.secretIamMember)
        .some(
            ({ inputs }) =>
                view.find(types.secret, inputs.secretId) === secret &&
                inputs.role === "roles/secretmanager.secretAccessor" &&
                inputs.member === `serviceAccount:${email}`,
        );
    if (secret === undefined || !reader) {
        // Who may not read a secret is not told whether it exists.
        return 403;
    }
    const newest = versionsOf(view, secret).at(-1);
    return newest === undefined ? 404 : { value: textAt(newest.inputs, "secretData") };
}

function versionsOf(view: AccountView, secret: CloudObject): readonly CloudObject[] {
    return view
        .list(types.secretVersion)
        .filter(({ inputs }) => inputs.enabled !== false && view.find(types.secret, inputs.secret) === secret);
}
