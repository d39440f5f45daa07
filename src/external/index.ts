export type { ExternalApiArgs, ExternalClientsArgs, ExternalLinkArgs, ExternalSiteArgs } from "./args.js";
export { DeviceFiles, type DeviceFilesArgs } from "./deviceFiles.js";
export { ExternalSite } from "./site.js";
export type { ExternalVpnArgs } from "./vpnArgs.js";
export type { DeviceConfiguration } from "./vpnEnd.js";
