import type { PublicEnd } from "../contracts/site.js";
import { type LocalDoor, linkDoor, nothingBetween } from "./door.js";

/** A local site's half of tier `nat`. What it stands for is said in `localTiers`. */
export function localPublicEnd(local: LocalDoor): PublicEnd {
    return { tier: "nat", door: linkDoor(local), ...nothingBetween };
}
