export type { LocalPorts } from "./ports.js";
export { LocalSite, type LocalSiteArgs, type LocalSiteUser } from "./site.js";
