import * as pulumi from "@pulumi/pulumi";
import { Mesh } from "linkspan";
import { AwsSite, type AwsSiteArgs } from "linkspan/aws";
import { GcpSite } from "linkspan/gcp";

const config = new pulumi.Config();

// What both sites have in common. The optional object `site` adds to it: how this machine reaches the sites, larger brokers, …
const common = {
    adminCidrs: config.requireObject<string[]>("adminCidrs"),
    ...config.getObject<Pick<AwsSiteArgs, "reach" | "broker" | "clientCidrs">>("site"),
};

// The virtual private gateway costs nothing by itself; without it AWS gets a transit gateway, which keeps more than two peers apart.
const aws = new AwsSite("aws", { siteNumber: 1, region: "eu-central-1", vpn: { gateway: "virtual" }, ...common });
const gcp = new GcpSite("gcp", { siteNumber: 2, region: "europe-west3", ...common });

const mesh = new Mesh("fleet", { sites: [aws, gcp], tier: "vpn", topics: config.requireObject<string[]>("topics") });

export const endpoints = mesh.endpoints;
export const links = mesh.links;
// The tunnels with their addresses, and where each side shows whether they are up.
export const paths = mesh.paths;
