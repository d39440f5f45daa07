import { createHash } from "node:crypto";
import { textAt, textsAt } from "../paths.mts";
import type { AccountView, CloudObject, Machine, MachineAnswer } from "../types.mts";
import { type Asker, readSecret } from "./identity.mts";
import { egressOf, subnetOf } from "./interfaces.mts";
import { types } from "./tokens.mts";

function identitiesOf(account: AccountView, machine: CloudObject): readonly CloudObject[] {
    return textsAt(machine.inputs, "identity.userAssignedIdentities[]")
        .map((id) => account.find(types.identity, id))
        .filter((each): each is CloudObject => each !== undefined);
}

function askerOf(account: AccountView, card: CloudObject, identities: readonly CloudObject[]): Asker {
    return {
        principalIds: identities.map(({ outputs }) => textAt(outputs, "principalId")),
        subnetId: subnetOf(account, card)?.id ?? "",
        addresses: egressOf(account, card),
    };
}

/** A boot item by the settings of the site's boot data. */
export function itemOf(account: AccountView, machine: CloudObject, card: CloudObject): Machine["item"] {
    return (settings, name) => {
        const identities = identitiesOf(account, machine).filter(({ outputs }) => outputs.clientId === settings.CLIENT_ID);
        const host = (settings.VAULT_URI ?? "").replace("https://", "");
        const found = readSecret(account, host, name, askerOf(account, card, identities));
        return typeof found === "number" ? undefined : found.value;
    };
}

/** The servers of Azure that a machine talks to: its metadata service and Key Vault. */
export function instanceServices(account: AccountView, machine: CloudObject, card: CloudObject): Machine["ask"] {
    const tokenOf = (identity: CloudObject) =>
        `eyJ0eXAiOiJKV1Qi.${createHash("sha256").update(`${machine.id} ${identity.id}`).digest("hex")}`;
    return ({ method, url, headers }): MachineAnswer | undefined => {
        const identities = identitiesOf(account, machine);
        if (url.hostname === "169.254.169.254") {
            if (headers.metadata !== "true") {
                return refusal(400, "invalid_request", "Required metadata header not specified");
            }
            const asked = url.searchParams.get("client_id");
            const found = identities.find(({ outputs }) => asked === null || outputs.clientId === asked);
            if (
                method !== "GET" ||
                url.pathname !== "/metadata/identity/oauth2/token" ||
                url.searchParams.get("api-version") === null
            ) {
                return refusal(404, "not_found", "");
            }
            if (found === undefined || url.searchParams.get("resource") !== "https://vault.azure.net") {
                return refusal(400, "invalid_request", "Identity not found");
            }
            const body = {
                access_token: tokenOf(found),
                expires_in: "86399",
                resource: "https://vault.azure.net",
                token_type: "Bearer",
            };
            return { status: 200, body: JSON.stringify(body) };
        }
        if (!url.hostname.endsWith(".vault.azure.net")) {
            return undefined;
        }
        const caller = identities.filter((each) => headers.authorization === `Bearer ${tokenOf(each)}`);
        if (caller.length === 0) {
            return refusal(401, "Unauthorized", "AKV10000: Request is missing a Bearer or PoP token.");
        }
        const name = /^\/secrets\/([A-Za-z0-9-]+)$/.exec(url.pathname)?.[1];
        if (method !== "GET" || name === undefined || url.searchParams.get("api-version") === null) {
            return refusal(400, "BadParameter", "");
        }
        const found = readSecret(account, url.hostname, name, askerOf(account, card, caller));
        return typeof found === "number"
            ? refusal(found, found === 403 ? "Forbidden" : "SecretNotFound", "")
            : { status: 200, body: JSON.stringify({ value: found.value, id: `https://${url.hostname}/secrets/${name}/1` }) };
    };
}

function refusal(status: number, code: string, message: string): MachineAnswer {
    return { status, body: JSON.stringify({ error: { code, message } }) };
}
