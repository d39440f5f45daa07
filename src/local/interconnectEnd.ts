import type { InterconnectEnd } from "../contracts/site.js";
import { type LocalDoor, linkDoor, nothingBetween } from "./door.js";

/** A local site's half of tier `interconnect`. What it stands for is said in `localTiers`. */
export function localInterconnectEnd(local: LocalDoor): InterconnectEnd {
    return { tier: "interconnect", door: linkDoor(local), ...nothingBetween };
}
