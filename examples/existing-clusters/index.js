const pulumi = require("@pulumi/pulumi");
const { Mesh } = require("linkspan");
const { ExternalSite } = require("linkspan/external");

const config = new pulumi.Config();
const allowLoopback = config.requireBoolean("allowLoopback");

const sites = config.requireObject("clusters").map(
    (cluster) =>
        new ExternalSite(cluster.name, {
            siteNumber: cluster.siteNumber,
            clusterName: cluster.clusterName,
            api: { url: cluster.apiUrl, key: cluster.apiKey, secret: pulumi.secret(cluster.apiSecret), ca: cluster.ca },
            link: {
                server: cluster.linkServer,
                tls: {
                    enable: true,
                    ca: cluster.ca,
                    serverName: cluster.linkName,
                    // What the peers' links present here; leave it out where the listener asks for no certificate.
                    ...(cluster.clientCert && {
                        clientCertificate: pulumi.secret({ cert: cluster.clientCert, key: cluster.clientKey }),
                    }),
                },
            },
            clients: {
                host: cluster.host,
                port: cluster.port,
                ca: cluster.ca,
                username: cluster.username,
                password: pulumi.secret(cluster.password),
            },
            allowLoopback,
        }),
);

const mesh = new Mesh("fleet", { sites, topics: config.requireObject("topics") });

exports.endpoints = mesh.endpoints;
exports.links = mesh.links;
