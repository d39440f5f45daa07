import { execFile } from "node:child_process";
import { createHash, createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { bootSecretsScript } from "./bootSecrets.js";

const run = promisify(execFile);
const credentials = { AccessKeyId: "AKIDEXAMPLE", SecretAccessKey: "wJalr/XUtnFEMI+K7MDENG", Token: "IQoJb3Jp/Z2lu+X2Vj==" };
const items: Readonly<Record<string, string>> = {
    "/linkspan/fleet/aws/api-keys": "linkspan:S3cret:administrator\n",
    "/linkspan/fleet/aws/users": 'user_id,password,is_superuser\nä,"a""b",false\n\n',
};

/** A stand-in of a machine's metadata service and of Systems Manager, which checks the signature as AWS does. */
class FakeAws {
    readonly requests: string[] = [];
    metadata: "works" | "no token" | "no role" = "works";
    private readonly server: Server = createServer((request, response) => {
        void this.answer(request).then(({ status, body }) => response.writeHead(status).end(body));
    });

    async listen(): Promise<string> {
        await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
        return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    }

    async close(): Promise<void> {
        await new Promise((resolve) => this.server.close(resolve));
    }

    private async answer(request: IncomingMessage): Promise<{ status: number; body: string }> {
        const { method = "", url = "", headers } = request;
        this.requests.push(`${method} ${url}`);
        let body = "";
        for await (const chunk of request) {
            body += chunk;
        }
        if (url === "/latest/api/token") {
            const asked = method === "PUT" && headers["x-aws-ec2-metadata-token-ttl-seconds"] === "300";
            return asked && this.metadata !== "no token" ? { status: 200, body: "the-token" } : { status: 403, body: "" };
        }
        if (url.startsWith("/latest/meta-data/iam/security-credentials/")) {
            if (headers["x-aws-ec2-metadata-token"] !== "the-token") {
                return { status: 401, body: "" };
            }
            if (url.endsWith("/")) {
                return this.metadata === "no role" ? { status: 404, body: "" } : { status: 200, body: "broker-role" };
            }
            return url.endsWith("/broker-role") ? { status: 200, body: JSON.stringify(credentials) } : { status: 404, body: "" };
        }
        return this.parameter(request, body);
    }

    private parameter({ method, headers }: IncomingMessage, body: string): { status: number; body: string } {
        const signed =
            method === "POST" &&
            headers["x-amz-target"] === "AmazonSSM.GetParameter" &&
            headers["content-type"] === "application/x-amz-json-1.1" &&
            // Some versions of curl leave an unusual port out of the host that they sign; the real service has none.
            [headers.host ?? "", "127.0.0.1"].some((host) => headers.authorization === signature(headers, host, body));
        if (!signed) {
            return { status: 403, body: JSON.stringify({ __type: "InvalidSignatureException" }) };
        }
        const { Name, WithDecryption } = JSON.parse(body);
        const value = items[Name];
        return value === undefined || WithDecryption !== true
            ? { status: 400, body: JSON.stringify({ __type: "ParameterNotFound" }) }
            : { status: 200, body: JSON.stringify({ Parameter: { Name, Value: value } }) };
    }
}

/** AWS's signature, version 4, of a POST to `/`, over the headers that the request says it covers. */
function signature(headers: IncomingMessage["headers"], host: string, body: string): string {
    const given = /Credential=[^/]+\/(\d{8})\/.*SignedHeaders=([^,]+),/.exec(headers.authorization ?? "");
    const [, day = "", signedHeaders = ""] = given ?? [];
    const names = signedHeaders.split(";");
    for (const needed of ["host", "x-amz-date", "x-amz-security-token", "x-amz-target"]) {
        if (!names.includes(needed)) {
            return `${needed} is not signed`;
        }
    }
    const scope = `${day}/eu-central-1/ssm/aws4_request`;
    const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
    const sign = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
    const signed = (name: string) => `${name}:${name === "host" ? host : headers[name]}`;
    const canonical = ["POST", "/", "", ...names.map(signed), "", signedHeaders, sha256(body)];
    const text = ["AWS4-HMAC-SHA256", String(headers["x-amz-date"]), scope, sha256(canonical.join("\n"))].join("\n");
    const key = ["eu-central-1", "ssm", "aws4_request"].reduce<Buffer>(
        (known, part) => sign(known, part),
        sign(`AWS4${credentials.SecretAccessKey}`, day),
    );
    return `AWS4-HMAC-SHA256 Credential=${credentials.AccessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${sign(key, text).toString("hex")}`;
}

describe("fetch_item on a machine in AWS", () => {
    const fake = new FakeAws();
    let url = "";
    beforeAll(async () => {
        url = await fake.listen();
    });
    afterAll(() => fake.close());
    afterEach(() => {
        fake.metadata = "works";
        fake.requests.length = 0;
    });

    /** Runs the function as the boot script does; the metadata service's fixed address leads to the stand-in, and arguments are noted. */
    const fetchItem = (item: string, prefix = "/linkspan/fleet/aws") =>
        run(
            "bash",
            [
                "-c",
                `set -euo pipefail
curl() {
    printf '%s\\n' "$@" >&2
    command curl "\${@//http:\\/\\/169.254.169.254/$FAKE_URL}"
}
${bootSecretsScript}
fetch_item "$1"`,
                "bash",
                item,
            ],
            {
                env: {
                    PATH: process.env.PATH,
                    AWS_REGION: "eu-central-1",
                    SSM_URL: url,
                    PARAMETER_PREFIX: prefix,
                    FAKE_URL: url,
                },
            },
        );

    it("prints an item byte by byte, by a request that AWS accepts", async () => {
        expect((await fetchItem("api-keys")).stdout).toBe("linkspan:S3cret:administrator\n");
        expect((await fetchItem("users")).stdout).toBe(items["/linkspan/fleet/aws/users"]);
        expect(fake.requests.slice(0, 4)).toEqual([
            "PUT /latest/api/token",
            "GET /latest/meta-data/iam/security-credentials/",
            "GET /latest/meta-data/iam/security-credentials/broker-role",
            "POST /",
        ]);
    });

    it("makes neither token nor credentials an argument of a process", async () => {
        const { stderr } = await fetchItem("api-keys");
        expect(stderr).toContain("aws:amz:eu-central-1:ssm");
        for (const secret of ["the-token", credentials.SecretAccessKey, credentials.Token, "S3cret"]) {
            expect([secret, stderr.includes(secret)]).toEqual([secret, false]);
        }
    });

    it.each([
        ["there is no such item", "cookie", "works"],
        ["the metadata service gives no token", "api-keys", "no token"],
        ["the machine has no role yet", "api-keys", "no role"],
    ] as const)("fails and prints nothing when %s", async (_what, item, metadata) => {
        fake.metadata = metadata;
        await expect(fetchItem(item)).rejects.toMatchObject({ code: expect.any(Number), stdout: "" });
    });

    it("is clean for shellcheck", async () => {
        const script = `#!/bin/bash\nAWS_REGION='' SSM_URL='' PARAMETER_PREFIX=''\n${bootSecretsScript}`;
        const child = run("shellcheck", ["--severity=style", "-"]);
        child.child.stdin?.end(script);
        expect((await child).stdout).toBe("");
    });
});
