const pulumi = require("@pulumi/pulumi");
const { Mesh } = require("linkspan");
const { AwsSite } = require("linkspan/aws");
const { AzureSite } = require("linkspan/azure");
const { GcpSite } = require("linkspan/gcp");

const config = new pulumi.Config();

// Three nodes each, with the licence that EMQX gives for a try-out: 25 sessions. A real fleet sets a key:
// license: config.requireSecret("emqxLicense").
const common = {
    adminCidrs: config.requireObject("adminCidrs"),
    license: "evaluation",
    ...config.getObject("site"),
};

// One gateway for each site, 10 tunnels with 10 keys between them. Azure takes 45 minutes and more for its gateway when it is made.
const sites = [
    new AwsSite("aws", { siteNumber: 1, region: "eu-central-1", ...common }),
    new GcpSite("gcp", { siteNumber: 2, region: "europe-west3", ...common }),
    new AzureSite("azure", { siteNumber: 3, location: "germanywestcentral", ...common }),
];

const mesh = new Mesh("fleet", {
    sites,
    tier: "vpn",
    topics: config.requireObject("topics"),
    // 25 sessions are soon used up: fewer connections for each link.
    link: { poolSize: 1 },
});

exports.endpoints = mesh.endpoints;
exports.links = mesh.links;
// The tunnels with their addresses, and where each side shows whether they are up.
exports.paths = mesh.paths;
