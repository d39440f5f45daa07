export {
    type ExternalApiArgs,
    type ExternalClientsArgs,
    type ExternalLinkArgs,
    ExternalSite,
    type ExternalSiteArgs,
} from "./site.js";
