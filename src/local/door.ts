import * as pulumi from "@pulumi/pulumi";
import type { LinkDoor, SiteFacts } from "../contracts/site.js";

/** What the doors of a local site are made of. */
export interface LocalDoor {
    /** Stable host name of the site's link door. */
    readonly host: string;
    readonly caPem: pulumi.Output<string>;
}

/** Port that links are told. Local sites publish the real one under their name, as a stable address in a cloud would stay behind its name. */
const namedLinkPort = 8884;

const stand = (what: string) =>
    `${what} Local sites are processes on this machine's loopback address, joined directly in every tier; use clouds, or the local network level, for that.` as const;

/** Every tier works between processes on one machine; what each stands for is said, never left to be guessed. */
export const localTiers: SiteFacts["tiers"] = {
    nat: { supported: true, standsFor: stand("Tier nat: no address translation and no allow-list was crossed.") },
    vpn: {
        supported: true,
        standsFor: stand("Tier vpn: no tunnel was built, no packet was encrypted by IPsec and no BGP route was exchanged."),
    },
    interconnect: {
        supported: true,
        standsFor: stand("Tier interconnect: no private line was ordered and no route was exchanged."),
    },
};

/** The one link door that a local site has, whatever the tier. */
export function linkDoor(local: LocalDoor): LinkDoor {
    return {
        server: pulumi.output(`${local.host}:${namedLinkPort}`),
        tls: local.caPem.apply((ca) => ({ enable: true, ca, serverName: local.host })),
        clientCertificate: "mesh",
    };
}

/** Loopback needs no opening: there is nothing between two processes of one machine. */
export const nothingBetween = {
    egress: [{ key: "loopback", address: pulumi.output("127.0.0.1") }],
    admit: () => [],
};
