import { api, device, type TestSite } from "./localBroker.js";
import type { PulumiProject } from "./pulumiProject.js";

/** What the example is told of a cluster that exists. The clusters are local brokers here: to the program they are just addresses. */
export function described(site: TestSite, siteNumber: number): Record<string, unknown> {
    return {
        name: site.name,
        siteNumber,
        clusterName: site.clusterName,
        apiUrl: `https://127.0.0.1:${site.ports.api}`,
        apiKey: api.key,
        apiSecret: api.secret,
        ca: site.authority.ca,
        linkServer: `127.0.0.1:${site.ports.links}`,
        linkName: site.linkHost,
        clientCert: site.linkCertificate.cert,
        clientKey: site.linkCertificate.key,
        host: "127.0.0.1",
        port: site.ports.mqtts,
        username: device.username,
        password: device.password,
    };
}

/** Gives the example its clusters. */
export async function configure(project: PulumiProject, clusters: readonly Record<string, unknown>[]): Promise<void> {
    for (const [index, cluster] of clusters.entries()) {
        for (const [key, value] of Object.entries(cluster)) {
            const secret = ["apiSecret", "clientKey", "password"].includes(key) ? ["--secret"] : [];
            await project.must("config", "set", "--path", `clusters[${index}].${key}`, ...secret, "--", String(value));
        }
    }
    await project.must("config", "set", "allowLoopback", "true");
}
