export type { GcpDnsArgs, GcpNetworkArgs, GcpSiteArgs } from "./args.js";
export { GcpSite } from "./site.js";
