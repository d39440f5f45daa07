import { checkFailures } from "../dynamic/checkFailures.js";
import { progressFor } from "../dynamic/progress.js";
import { hasUnknown, type Lifecycle } from "../dynamic/provider.js";
import { type DownloadLimits, digestOf, downloadLimits } from "./packageDigest.js";
import { checkPackageUrl, type PackagePinInputs, type PackagePinOutputs } from "./pinRules.js";

/** How often progress is shown, in milliseconds. */
const progressEveryMs = 2_000;

/** Downloads a file when it is made or its address changes, and keeps the SHA-256. */
export function makePackagePinProvider(limits: DownloadLimits): Lifecycle<PackagePinInputs, PackagePinOutputs> {
    return {
        async check(news) {
            return { inputs: news, failures: checkFailures("url", () => checkPackageUrl(news.url)) };
        },

        async diff(_id, olds, news) {
            return { changes: olds.url !== news.url };
        },

        async create(inputs) {
            const outs = await take(inputs, limits);
            return { id: outs.sha256, outs };
        },

        async update(_id, _olds, news) {
            return take(news, limits);
        },
    };
}

/** The implementation behind `linkspan/provider`. */
export const packagePinProvider = makePackagePinProvider(downloadLimits);

async function take(inputs: PackagePinInputs, limits: DownloadLimits): Promise<PackagePinOutputs> {
    if (hasUnknown(inputs.url)) {
        throw new Error("a package was to be taken from an address that is not known yet");
    }
    const progress = progressFor(inputs.progressUrn);
    progress("downloading EMQX's package once, for its SHA-256");
    let shownAt = 0;
    const { sha256, bytes } = await digestOf(
        inputs.url,
        (come) => {
            const now = performance.now();
            if (now - shownAt >= progressEveryMs) {
                shownAt = now;
                progress(`${Math.round(come / 1e6)} MB of EMQX's package`);
            }
        },
        limits,
    );
    return { ...inputs, sha256, bytes };
}
