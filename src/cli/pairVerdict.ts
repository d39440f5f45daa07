import type { DeliveryResult } from "../probe/deliveryResult.js";

/** What one pair's run came to. */
export interface PairVerdict {
    readonly pair: string;
    readonly results: readonly DeliveryResult[];
    readonly cause?: string;
}
