/**
 * One IKEv2 proposal for both phases, the same on every side: exactly one algorithm for each role, never a cloud's default list (AWS's makes
 * IKE packets so large that they are dropped when the keys are renewed, hours after the tunnel came up).
 *
 * - `aes-cbc`: AES-256-CBC, SHA-256, DH group 14, PFS group 14. Proven in the field between all three clouds.
 * - `aes-gcm`: AES-256-GCM, PRF SHA-384, DH group 20, PFS group 20. Faster, larger payloads; between GCP and Azure no report of it in use was
 *   found (2026-11-23).
 */
export type IpsecSuite = "aes-cbc" | "aes-gcm";

/** What a suite is to strongSwan, and what fits through its tunnels. */
export interface SuiteFacts {
    /** IKE proposal in strongSwan's words. */
    readonly ike: string;
    /** ESP proposal in strongSwan's words. */
    readonly esp: string;
    /** Largest IP packet inside a tunnel over a 1500-byte path, as AWS gives it. */
    readonly mtu: number;
}

/** By suite. MTU: AWS customer gateway best practices, read 2026-11-23. */
export const suites: Readonly<Record<IpsecSuite, SuiteFacts>> = {
    "aes-cbc": { ike: "aes256-sha256-prfsha256-modp2048", esp: "aes256-sha256-modp2048", mtu: 1_438 },
    "aes-gcm": { ike: "aes256gcm16-prfsha384-ecp384", esp: "aes256gcm16-ecp384", mtu: 1_446 },
};

/** Largest TCP segment that every tunnel of every cloud carries; brokers clamp to it. Azure's own advice is the lowest of the three. */
export const clampedSegment = 1_350;

/** Seconds for which keys live on devices of the user's own. Clouds have theirs; the two sides need not agree. */
export const lifetimes = { ike: 28_800, esp: 3_600 } as const;

/**
 * A pre-shared key that every cloud takes: 32 letters and digits, none of them 0 at the front.
 * AWS refuses other characters and a leading 0; Azure refuses spaces, hyphens and tildes.
 */
export const presharedKeyForm = /^[A-Za-z1-9][A-Za-z0-9]{31}$/;
