import { at, isSet, textAt } from "./properties.js";
import type { Rule } from "./rule.js";

const role = "aws:iam/role:Role";
const policyHolders = ["aws:iam/policy:Policy", "aws:iam/rolePolicy:RolePolicy", "aws:iam/userPolicy:UserPolicy"] as const;
const attachments = [
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "aws:iam/policyAttachment:PolicyAttachment",
    "aws:iam/userPolicyAttachment:UserPolicyAttachment",
] as const;
const projectGrants = ["gcp:projects/iAMMember:IAMMember", "gcp:projects/iAMBinding:IAMBinding"] as const;
const grants = [
    ...projectGrants,
    "gcp:secretmanager/secretIamMember:SecretIamMember",
    "gcp:secretmanager/secretIamBinding:SecretIamBinding",
    "gcp:serviceaccount/iAMMember:IAMMember",
] as const;

/** One statement of an AWS policy that allows something. */
interface Statement {
    readonly actions: readonly string[];
    readonly resources: readonly string[];
    readonly principals: readonly string[];
    readonly conditions: boolean;
}

function identityRule(rule: Omit<Rule, "area" | "needs" | "check">, faults: (props: unknown) => readonly string[]): Rule {
    return { ...rule, area: "identity", needs: "resource", check: ({ props }) => faults(props) };
}

const when = (fault: boolean, text: string): readonly string[] => (fault ? [text] : []);

/** A rule about what a policy allows. */
function allowing(rule: Omit<Rule, "area" | "needs" | "check" | "types">, refused: (statement: Statement) => boolean): Rule {
    return identityRule({ ...rule, types: policyHolders }, (props) =>
        allowed(at(props, "policy"))
            .filter(refused)
            .map(({ actions, resources }) => `${actions.join(", ")} on ${resources.join(", ")} is allowed`),
    );
}

/** Reads an AWS policy, as text or as an object. What is none allows nothing. */
function allowed(policy: unknown): readonly Statement[] {
    const document = typeof policy === "string" ? parsed(policy) : policy;
    return list(at(document, "Statement"))
        .filter((statement) => textAt(statement, "Effect") === "Allow")
        .map((statement) => ({
            actions: texts(at(statement, "Action")),
            resources: texts(at(statement, "Resource")),
            principals: principalsOf(at(statement, "Principal")),
            conditions: isSet(statement, "Condition"),
        }));
}

function principalsOf(principal: unknown): readonly string[] {
    return typeof principal === "object" && principal !== null && !Array.isArray(principal)
        ? Object.values(principal).flatMap(texts)
        : texts(principal);
}

function parsed(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch {
        return undefined;
    }
}

function list(value: unknown): readonly unknown[] {
    return Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
}

function texts(value: unknown): readonly string[] {
    return list(value).filter((one) => typeof one === "string");
}

const covers = (pattern: string, action: string): boolean =>
    new RegExp(`^${pattern.replaceAll(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`, "i").test(action);

const aws: readonly Rule[] = [
    allowing(
        {
            id: "AWS-0057",
            alsoKnownAs: ["CKV_AWS_62", "CKV_AWS_63", "CKV2_AWS_40"],
            title: "No policy allows every action, or every action of a service on everything.",
            severity: "HIGH",
        },
        ({ actions, resources }) =>
            actions.includes("*") || (resources.includes("*") && actions.some((action) => /^[a-z0-9-]+:\*$/i.test(action))),
    ),
    allowing(
        {
            id: "AWS-0342",
            alsoKnownAs: [],
            title: "No policy hands on roles.",
            severity: "MEDIUM",
        },
        ({ actions }) => actions.some((action) => covers(action, "iam:PassRole")),
    ),
    allowing(
        {
            id: "AWS-0345",
            alsoKnownAs: [],
            title: "No policy allows everything on buckets.",
            severity: "HIGH",
        },
        ({ actions }) => actions.some((action) => action === "*" || /^s3:\*$/i.test(action)),
    ),
    identityRule(
        {
            id: "CKV_AWS_60",
            alsoKnownAs: ["CKV_AWS_61"],
            title: "Roles are taken on by named services and accounts only.",
            severity: "HIGH",
            types: [role],
        },
        (props) =>
            allowed(at(props, "assumeRolePolicy")).flatMap(({ principals, conditions }) =>
                when(principals.includes("*") && !conditions, "assumeRolePolicy lets everybody take it on"),
            ),
    ),
    identityRule(
        {
            id: "CKV_AWS_274",
            alsoKnownAs: ["CKV2_AWS_56"],
            title: "No role is given all rights.",
            severity: "HIGH",
            types: [...attachments, role],
        },
        (props) =>
            [textAt(props, "policyArn"), ...texts(at(props, "managedPolicyArns"))]
                .filter((arn) => /:policy\/(AdministratorAccess|IAMFullAccess|PowerUserAccess)$/.test(arn))
                .map((arn) => `${arn} is attached`),
    ),
];

const privileged = /^roles\/(owner|editor|viewer)$|\.admin$|[aA]dmin$/;
const impersonating = /^roles\/iam\.(serviceAccountUser|serviceAccountTokenCreator)$/;
const members = (props: unknown): readonly string[] => [textAt(props, "member"), ...texts(at(props, "members"))];

const gcp: readonly Rule[] = [
    identityRule(
        {
            id: "GCP-0007",
            alsoKnownAs: ["CKV_GCP_42", "CKV_GCP_117"],
            title: "Service accounts have no basic role and rule no service.",
            severity: "HIGH",
            types: grants,
        },
        (props) =>
            when(
                privileged.test(textAt(props, "role")) && members(props).some((member) => member.startsWith("serviceAccount:")),
                `${textAt(props, "role")} is given to a service account`,
            ),
    ),
    identityRule(
        {
            id: "GCP-0006",
            alsoKnownAs: ["CKV_GCP_46"],
            title: "The project's default service accounts are given nothing.",
            severity: "MEDIUM",
            types: projectGrants,
        },
        (props) =>
            when(
                members(props).some((member) =>
                    /^serviceAccount:(.*-compute@developer|[^@]*@appspot)\.gserviceaccount\.com$/.test(member),
                ),
                "a default service account is given a role",
            ),
    ),
    identityRule(
        {
            id: "GCP-0011",
            alsoKnownAs: ["CKV_GCP_41", "CKV_GCP_49"],
            title: "Nobody may act as every service account of the project.",
            severity: "MEDIUM",
            types: projectGrants,
        },
        (props) => when(impersonating.test(textAt(props, "role")), `${textAt(props, "role")} is given for the whole project`),
    ),
    identityRule(
        {
            id: "GCP-0003",
            alsoKnownAs: [],
            title: "Roles are given to groups and service accounts, not to persons.",
            severity: "MEDIUM",
            types: grants,
        },
        (props) =>
            when(
                members(props).some((member) => member.startsWith("user:")),
                `${textAt(props, "role")} is given to a person`,
            ),
    ),
];

const own: readonly Rule[] = [
    identityRule(
        {
            id: "LINKSPAN-0005",
            alsoKnownAs: [],
            title: "Machines may read their own secrets, and administer nothing.",
            severity: "HIGH",
            types: ["azure-native:authorization:RoleAssignment"],
        },
        // Owner, Contributor, User Access Administrator, Key Vault Administrator: the same ids in every directory.
        (props) =>
            when(
                /(8e3af657-a8ff-443c-a75c-2fe8c4bcb635|b24988ac-6180-42a0-ab88-20f7382dd24c|18d7d88d-d35e-4fb5-a5c3-7773c20a72d9|00482a5a-887f-4fb3-b363-3b7fe8e74483)$/i.test(
                    textAt(props, "roleDefinitionId"),
                ),
                "roleDefinitionId is a role that administers",
            ),
    ),
    allowing(
        {
            id: "LINKSPAN-0021",
            alsoKnownAs: [],
            title: "Policies that read secrets name which.",
            severity: "HIGH",
        },
        ({ actions, resources }) =>
            resources.some((resource) => resource === "*" || /:(parameter|secret)[/:]\*$/.test(resource)) &&
            actions.some((action) => /^(ssm:GetParameter|secretsmanager:GetSecretValue|kms:Decrypt)/i.test(action)),
    ),
    identityRule(
        {
            id: "LINKSPAN-0022",
            alsoKnownAs: [],
            title: "Secrets are opened to one service account at a time, not to the whole project's.",
            severity: "HIGH",
            types: projectGrants,
        },
        (props) =>
            when(
                /^roles\/secretmanager\./.test(textAt(props, "role")),
                `${textAt(props, "role")} is given for the whole project`,
            ),
    ),
];

/** What roles, policies and grants must hold. */
export const identityRules: readonly Rule[] = [...aws, ...gcp, ...own];
