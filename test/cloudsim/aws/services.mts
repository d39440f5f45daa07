import { textAt } from "../paths.mts";
import type { AccountView, CloudObject, Machine, MachineAnswer, MachineRequest } from "../types.mts";
import { mayDo } from "./identity.mts";
import { hex } from "./naming.mts";
import { types } from "./tokens.mts";

const refused = (status: number, body = ""): MachineAnswer => ({ status, body });

/** The servers of AWS that an instance talks to: its metadata service, version 2, and Systems Manager. */
export function instanceServices(account: AccountView, instance: CloudObject): Machine["ask"] {
    const keyId = `ASIA${hex(instance.id, 16).toUpperCase()}`;
    const secret = { token: hex(`${instance.id} metadata`, 40), session: hex(`${instance.id} session`, 60) };
    const profile = account.find(types.instanceProfile, instance.inputs.iamInstanceProfile);
    const role = account.find(types.role, profile?.inputs.role);

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
        const parameter = account
            .list(types.parameter)
            .find(({ id, inputs }) => id === name && textAt(inputs, "region") === region);
        const arn = textAt(parameter?.outputs, "arn");
        if (parameter === undefined) {
            return refused(400, JSON.stringify({ __type: "ParameterNotFound" }));
        }
        return mayDo(account, role?.id ?? "", "ssm:GetParameter", arn)
            ? {
                  status: 200,
                  body: JSON.stringify({ Parameter: { Name: name, Value: parameter.inputs.value, ARN: arn } }),
              }
            : refused(400, JSON.stringify({ __type: "AccessDeniedException" }));
    };

    return (request) => {
        if (request.url.host === "169.254.169.254") {
            return metadata(request);
        }
        const region = /^ssm\.([a-z0-9-]+)\.amazonaws\.com$/.exec(request.url.hostname)?.[1];
        return region === undefined ? undefined : systemsManager(request, region);
    };
}
