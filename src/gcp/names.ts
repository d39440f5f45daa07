import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";

/** Longest name of most resources. */
const longestName = 63;
/** What Pulumi appends to a name that it makes: a hyphen and seven digits. */
const suffixLength = 8;
const hashLength = 8;

/**
 * A physical name where Pulumi's own would be too long for GCP: the beginning of the logical name and a hash of project, stack and name,
 * so that it is the same at every run and another one in another stack. `undefined` where Pulumi's own name fits.
 */
export function physicalName(logicalName: string, longest: number = longestName): string | undefined {
    if (logicalName.length + suffixLength <= longest) {
        return undefined;
    }
    const hash = createHash("sha256")
        .update([pulumi.getProject(), pulumi.getStack(), logicalName].join("/"))
        .digest("hex")
        .slice(0, hashLength);
    return `${logicalName.slice(0, longest - hashLength - 1).replace(/-+$/, "")}-${hash}`;
}
