export type { AwsDnsArgs, AwsNetworkArgs, AwsSiteArgs, AwsSubnetArgs, AwsZoneArgs } from "./args.js";
export type { CostRow } from "./costs.js";
export { AwsSite } from "./site.js";
