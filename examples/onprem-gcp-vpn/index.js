const pulumi = require("@pulumi/pulumi");
const { Mesh, MeshIdentity } = require("linkspan");
const { ExternalSite } = require("linkspan/external");
const { GcpSite } = require("linkspan/gcp");

const config = new pulumi.Config();
// The cluster that exists, as this machine and its peers reach it: ../README.md lists what the object holds.
const plant = config.requireObject("plant");
const meshId = "fleet";
// Signs the certificate that the plant's links show at the link door on GCP.
const identity = new MeshIdentity(meshId, { meshId });

const onprem = new ExternalSite("plant", {
    siteNumber: 7,
    meshId,
    identity,
    clusterName: plant.clusterName,
    api: { url: plant.apiUrl, key: plant.apiKey, secret: config.requireSecret("plantApiSecret"), ca: plant.ca },
    link: {
        server: plant.linkServer,
        tls: {
            enable: true,
            ca: plant.ca,
            serverName: plant.linkName,
            // What peers' links present there; leave it out where the listener asks for no certificate.
            ...(plant.clientCert && {
                clientCertificate: config.requireSecret("plantClientKey").apply((key) => ({ cert: plant.clientCert, key })),
            }),
        },
    },
    clients: {
        host: plant.host,
        port: plant.port,
        ca: plant.ca,
        username: plant.username,
        password: config.requireSecret("plantPassword"),
    },
    // The VPN device: its public address, what is behind it, and the broker's listener for links in there.
    vpn: { addresses: plant.deviceAddresses, ranges: plant.ranges, linkServer: plant.privateLinkServer },
    allowLoopback: config.getBoolean("allowLoopback") ?? false,
});
const gcp = new GcpSite("gcp", {
    siteNumber: 2,
    region: "europe-west3",
    meshId,
    identity,
    adminCidrs: config.requireObject("adminCidrs"),
    ...config.getObject("site"),
});

const mesh = new Mesh("fleet", { sites: [onprem, gcp], tier: "vpn", topics: config.requireObject("topics") });

// swanctl.conf and bird.conf or frr.conf for the device, readable by you alone. Both sides try until the device has them.
exports.deviceFiles = onprem.writeDeviceConfiguration("device").paths;
exports.links = mesh.links;
exports.paths = mesh.paths;
