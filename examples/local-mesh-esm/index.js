import * as pulumi from "@pulumi/pulumi";
import { Mesh } from "linkspan";
import { LocalSite } from "linkspan/local";

const config = new pulumi.Config();

const plant = new LocalSite("plant", { siteNumber: 1 });
const office = new LocalSite("office", { siteNumber: 2 });

const mesh = new Mesh("fleet", { sites: [plant, office], topics: config.requireObject("topics") });

export const endpoints = mesh.endpoints;
export const links = mesh.links;
export const notProven = mesh.notProven;
export const device = plant.device;
