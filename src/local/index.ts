export type { LocalBgpArgs } from "./network/networkSite.js";
export type { LocalPorts } from "./ports.js";
export { type LocalLevel, LocalSite, type LocalSiteArgs, type LocalSiteUser } from "./site.js";
