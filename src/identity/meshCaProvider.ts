import { checkFailures } from "../dynamic/checkFailures.js";
import { progressFor } from "../dynamic/progress.js";
import type { Lifecycle } from "../dynamic/provider.js";
import { hasUnknown } from "../dynamic/provider.js";
import {
    caRenewBeforeDays,
    checkCommonName,
    checkDays,
    checkRotation,
    endsWithin,
    identityDefaults,
} from "./certificateRules.js";

/** What state holds of an authority's arguments. */
export interface MeshCaInputs {
    readonly commonName: string;
    readonly validityDays?: number;
    readonly rotation?: number;
    readonly progressUrn?: string;
}

/** What state holds of an authority. `keyPem` is secret. */
export interface MeshCaOutputs extends MeshCaInputs {
    readonly certPem: string;
    readonly keyPem: string;
    readonly notAfter: string;
}

/** Makes and renews a mesh's certificate authority. */
export const meshCaProvider: Lifecycle<MeshCaInputs, MeshCaOutputs> = {
    async check(news) {
        const known = <T>(value: T) => (hasUnknown(value) ? undefined : value);
        const failures = checkFailures(
            "commonName",
            () => known(news.commonName) !== undefined && checkCommonName(news.commonName),
            () => checkDays("validityDays", known(news.validityDays)),
            () => checkRotation("rotation", known(news.rotation)),
        );
        return { inputs: news, failures };
    },

    async diff(_id, olds, news) {
        const validity = news.validityDays ?? identityDefaults.caValidityDays;
        return {
            changes:
                needsNewKey(olds, news) ||
                olds.validityDays !== news.validityDays ||
                endsWithin(olds.notAfter, caRenewBeforeDays(validity)),
        };
    },

    async create(inputs) {
        return { id: inputs.commonName, outs: await make(inputs) };
    },

    async update(_id, olds, news) {
        return make(news, needsNewKey(olds, news) ? undefined : olds.keyPem);
    },
};

/** A rotated or renamed authority is another authority; a renewed one keeps its key, so that what it has issued stays valid. */
function needsNewKey(olds: MeshCaInputs, news: MeshCaInputs): boolean {
    return olds.commonName !== news.commonName || (olds.rotation ?? 0) !== (news.rotation ?? 0);
}

async function make(inputs: MeshCaInputs, keyPem?: string): Promise<MeshCaOutputs> {
    progressFor(inputs.progressUrn)(keyPem === undefined ? "making the authority" : "renewing the authority");
    const { createAuthority } = await import("./issue.js");
    return {
        ...inputs,
        ...(await createAuthority(inputs.commonName, inputs.validityDays ?? identityDefaults.caValidityDays, keyPem)),
    };
}
