import type { VpnEnd } from "../contracts/site.js";
import { type LocalDoor, linkDoor, nothingBetween } from "./door.js";

/** A local site's half of tier `vpn`. What it stands for is said in `localTiers`. */
export function localVpnEnd(local: LocalDoor): VpnEnd {
    return { tier: "vpn", door: linkDoor(local), ...nothingBetween };
}
