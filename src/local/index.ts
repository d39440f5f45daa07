export { LocalSite, type LocalSiteArgs, type LocalSiteUser } from "./site.js";
export type { LocalPorts } from "./ports.js";
