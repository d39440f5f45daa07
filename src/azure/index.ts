export type { AzureDnsArgs, AzureFlowLogArgs, AzureNetworkArgs, AzureNetworkWatcherArgs, AzureSiteArgs } from "./args.js";
export { AzureSite } from "./site.js";
export type { AzureVpnArgs, AzureVpnSku } from "./vpnArgs.js";
