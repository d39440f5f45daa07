export type { GcpDnsArgs, GcpNetworkArgs, GcpSiteArgs } from "./args.js";
export { GcpSite } from "./site.js";
export type { GcpVpnArgs } from "./vpnArgs.js";
