import { createHash } from "node:crypto";
import { textAt } from "../paths.mts";
import type { AccountView, CloudObject, Machine, MachineAnswer } from "../types.mts";
import { readSecret } from "./identity.mts";

function emailOf(instance: CloudObject): string {
    return textAt(instance.inputs, "serviceAccount.email");
}

/** A boot item by the settings of the site's boot data. */
export function itemOf(account: AccountView, instance: CloudObject): Machine["item"] {
    return (settings, name) => {
        const secret = settings[`SECRET_${name.toUpperCase().replaceAll("-", "_")}`] ?? "";
        const found = readSecret(account, emailOf(instance), secret);
        return typeof found === "number" ? undefined : found.value;
    };
}

/** The servers of Google that an instance talks to: its metadata server and Secret Manager. */
export function instanceServices(account: AccountView, instance: CloudObject): Machine["ask"] {
    const token = `ya29.${createHash("sha256").update(instance.id).digest("hex")}`;
    return ({ method, url, headers }): MachineAnswer | undefined => {
        if (url.hostname === "metadata.google.internal" || url.hostname === "169.254.169.254") {
            if (headers["metadata-flavor"] !== "Google") {
                return { status: 403, body: "Missing Metadata-Flavor:Google header." };
            }
            return url.pathname === "/computeMetadata/v1/instance/service-accounts/default/token" && emailOf(instance) !== ""
                ? { status: 200, body: JSON.stringify({ access_token: token, expires_in: 3599, token_type: "Bearer" }) }
                : { status: 404, body: "" };
        }
        if (url.hostname !== "secretmanager.googleapis.com") {
            return undefined;
        }
        if (headers.authorization !== `Bearer ${token}`) {
            return refusal(401, "UNAUTHENTICATED");
        }
        const name = /^\/v1\/(projects\/[^/]+\/secrets\/[^/]+)\/versions\/latest:access$/.exec(url.pathname)?.[1];
        if (method !== "GET" || name === undefined) {
            return refusal(404, "NOT_FOUND");
        }
        const found = readSecret(account, emailOf(instance), name);
        return typeof found === "number"
            ? refusal(found, found === 403 ? "PERMISSION_DENIED" : "NOT_FOUND")
            : { status: 200, body: JSON.stringify({ payload: { data: Buffer.from(found.value).toString("base64") } }) };
    };
}

function refusal(code: number, status: string): MachineAnswer {
    return { status: code, body: JSON.stringify({ error: { code, status } }) };
}
