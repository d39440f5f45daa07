import { checkFailures } from "../dynamic/checkFailures.js";
import { hasUnknown, type Lifecycle } from "../dynamic/provider.js";
import { checkPin, type PinInputs, type PinOutputs } from "./pinRules.js";

/** Keeps the first value until `release` changes. */
export const pinProvider: Lifecycle<PinInputs, PinOutputs> = {
    async check(news) {
        return { inputs: news, failures: checkFailures("release", () => checkPin({ ...news })) };
    },

    // Another value alone is no change, also where it is not known: that is what a pin is for.
    async diff(_id, olds, news) {
        return { changes: olds.release !== news.release };
    },

    async create(inputs) {
        return { id: inputs.release, outs: take(inputs) };
    },

    async update(_id, _olds, news) {
        return take(news);
    },
};

function take(inputs: PinInputs): PinOutputs {
    if (hasUnknown([inputs.value, inputs.release])) {
        throw new Error("a value that is not known yet was to be pinned");
    }
    return { ...inputs, pinned: inputs.value };
}
