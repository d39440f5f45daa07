const pulumi = require("@pulumi/pulumi");
const { Mesh } = require("linkspan");
const { LocalSite } = require("linkspan/local");

const config = new pulumi.Config();

const plant = new LocalSite("plant", { siteNumber: 1 });
const office = new LocalSite("office", { siteNumber: 2 });

const mesh = new Mesh("fleet", { sites: [plant, office], topics: config.requireObject("topics") });

exports.endpoints = mesh.endpoints;
exports.links = mesh.links;
exports.notProven = mesh.notProven;
exports.device = plant.device;
