export type { MonthlyCost } from "../cluster/monthlyCost.js";
export type { AwsDnsArgs, AwsNetworkArgs, AwsSiteArgs, AwsSubnetArgs, AwsZoneArgs } from "./args.js";
export { AwsSite } from "./site.js";
export type { AwsVpnArgs } from "./vpnArgs.js";
