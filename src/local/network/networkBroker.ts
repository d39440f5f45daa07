import type { LocalPorts } from "../ports.js";
import { ask, HolderGone } from "./client.js";
import { brokerPorts } from "./holder/addresses.js";
import type { SiteSpec } from "./holder/desired.js";

/** Where a local site's broker runs at level `network`. */
export interface BrokerNetwork extends SiteSpec {
    /** Folder of the mesh's local network. */
    readonly stateDir: string;
}

/** Ports of a broker in its own network: those of EMQX. What a site is asked for are ports on loopback that lead there. */
export function insidePorts(wish: LocalPorts): LocalPorts {
    const { mqtts, links, api, mqtt } = brokerPorts;
    return { mqtts, links, api, ...(wish.mqtt === undefined ? {} : { mqtt }) };
}

/** Makes a site's part of the network, or leaves it as it is, and lets go of its ports on loopback. */
export async function prepareSite(
    folder: string,
    { name, siteNumber, asn, holdSeconds, bfdIntervalMs }: SiteSpec,
): Promise<void> {
    await ask(folder, { op: "putSite", site: { name, siteNumber, asn, holdSeconds, bfdIntervalMs } });
    await ask(folder, { op: "openDoors", site: name, doors: {} });
}

/** Starts the broker's process in the site's network. It writes `ready.json` by itself. */
export async function launchInside(
    folder: string,
    site: string,
    command: readonly string[],
    brokerFolder: string,
): Promise<void> {
    await ask(folder, { op: "startBroker", site, command, folder: brokerFolder });
}

/** Opens the ports on loopback that lead to the broker. */
export async function openDoors(folder: string, site: string, ports: LocalPorts): Promise<void> {
    const door = (name: keyof LocalPorts) => ({ listen: ports[name] ?? 0, to: brokerPorts[name] });
    const doors = { mqtts: door("mqtts"), api: door("api"), ...(ports.mqtt === undefined ? {} : { mqtt: door("mqtt") }) };
    await ask(folder, { op: "openDoors", site, doors });
}

/** Takes a site's part of the network away. */
export async function removeSite(folder: string, name: string): Promise<void> {
    await ask(folder, { op: "removeSite", name }).catch((error: unknown) => {
        // It went with the network.
        if (!(error instanceof HolderGone)) {
            throw error;
        }
    });
}
