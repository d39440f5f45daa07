import { textAt } from "../paths.mts";
import type { AccountView, CloudObject, Machine, MachineAnswer, MachineRequest } from "../types.mts";
import { mayDo } from "./identity.mts";
import { hex } from "./naming.mts";
import { types } from "./tokens.mts";

const refused = (status: number, body = ""): MachineAnswer => ({ status, body });

/** A parameter's value, as a machine with this role may read it. */
function readParameter(
    account: AccountView,
    role: string,
    region: string,
    name: string | undefined,
): { readonly value: string; readonly arn: string } | "ParameterNotFound" | "AccessDeniedException" {
    const parameter = account.list(types.parameter).find(({ id, inputs }) => id === name && textAt(inputs, "region") === region);
    const arn = textAt(parameter?.outputs, "arn");
    if (parameter === undefined) {
        return "ParameterNotFound";
    }
    return mayDo(account, role, "ssm:GetParameter", arn)
        ? { value: textAt(parameter.inputs, "value"), arn }
        : "AccessDeniedException";
}

function roleOf(account: AccountView, instance: CloudObject): CloudObject | undefined {
    const profile = account.find(types.instanceProfile, instance.inputs.iamInstanceProfile);
    return account.find(types.role, profile?.inputs.role);
}

/** A boot item by the settings of the site's boot data. */
export function itemOf(account: AccountView, instance: CloudObject): Machine["item"] {
    return (settings, name) => {
        const found = readParameter(
            account,
            roleOf(account, instance)?.id ?? "",
            settings.AWS_REGION ?? "",
            `${settings.PARAMETER_PREFIX ?? ""}/${name}`,
        );
        return typeof found === "string" ? undefined : found.value;
    };
}

/** The servers of AWS that an instance talks to: its metadata service, version 2, and Systems Manager. */
export function instanceServices(account: AccountView, instance: CloudObject): Machine["ask"] {
    const keyId = `ASIA${hex(instance.id, 16).toUpperCase()}`;
    const secret = { token: hex(`${instance.id} metadata`, 40), session: hex(`${instance.id} session`, 60) };
    const role = roleOf(account, instance);

    const metadata = ({ method, url, headers }: MachineRequest): MachineAnswer => {
        if (method === "PUT" && url.pathname === "/latest/api/token") {
            return headers["x-aws-ec2-metadata-token-ttl-seconds"] === undefined
                ? refused(400)
                : { status: 200, body: secret.token };
        }
        // With httpTokens: "required" nothing is said to those who come without a token.
        if (headers["x-aws-ec2-metadata-token"] !== secret.token) {
            return refused(401);
        }
        const root = "/latest/meta-data/iam/security-credentials/";
        if (role === undefined || !url.pathname.startsWith(root)) {
            return refused(404);
        }
        const asked = url.pathname.slice(root.length);
        if (asked === "") {
            return { status: 200, body: role.id };
        }
        return asked !== role.id
            ? refused(404)
            : {
                  status: 200,
                  body: JSON.stringify({
                      Code: "Success",
                      Type: "AWS-HMAC",
                      AccessKeyId: keyId,
                      SecretAccessKey: hex(keyId, 40),
                      Token: secret.session,
                  }),
              };
    };

    const systemsManager = ({ method, headers, body }: MachineRequest, region: string): MachineAnswer => {
        const signed = `Credential=${keyId}/`;
        const scope = `/${region}/ssm/aws4_request`;
        const authorization = headers.authorization ?? "";
        if (
            !authorization.startsWith("AWS4-HMAC-SHA256 ") ||
            !authorization.includes(signed) ||
            !authorization.includes(scope) ||
            headers["x-amz-security-token"] !== secret.session
        ) {
            return refused(400, JSON.stringify({ __type: "UnrecognizedClientException" }));
        }
        if (method !== "POST" || headers["x-amz-target"] !== "AmazonSSM.GetParameter") {
            return refused(400, JSON.stringify({ __type: "UnknownOperationException" }));
        }
        const { Name: name } = JSON.parse(body) as { Name?: string };
        const found = readParameter(account, role?.id ?? "", region, name);
        return typeof found === "string"
            ? refused(400, JSON.stringify({ __type: found }))
            : { status: 200, body: JSON.stringify({ Parameter: { Name: name, Value: found.value, ARN: found.arn } }) };
    };

    return (request) => {
        if (request.url.host === "169.254.169.254") {
            return metadata(request);
        }
        const region = /^ssm\.([a-z0-9-]+)\.amazonaws\.com$/.exec(request.url.hostname)?.[1];
        return region === undefined ? undefined : systemsManager(request, region);
    };
}
