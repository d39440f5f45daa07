export type { ExternalApiArgs, ExternalClientsArgs, ExternalLinkArgs, ExternalSiteArgs } from "./args.js";
export { ExternalSite } from "./site.js";
