/** Diffie-Hellman groups in strongSwan's words, by their IANA number. */
const groups: Readonly<Record<string, string>> = {
    "2": "modp1024",
    "5": "modp1536",
    "14": "modp2048",
    "15": "modp3072",
    "16": "modp4096",
    "19": "ecp256",
    "20": "ecp384",
    "21": "ecp521",
    "24": "modp2048s256",
};

/** Algorithms for each role, in strongSwan's words; groups by number. An empty list: the cloud's own choice. */
export interface Offered {
    readonly encryption: readonly string[];
    readonly integrity: readonly string[];
    /** In phase 1 alone. @default that of the integrity */
    readonly prf?: readonly string[];
    readonly groups: readonly string[];
}

/** Everything that one side offers in phase 1, as strongSwan writes a proposal. Several algorithms for a role are joined by "|". */
export function ikeProposal({ encryption, integrity, prf = integrity, groups: numbers }: Offered): string {
    const parts = [any(encryption), ...(combined(encryption) ? [] : [any(integrity)]), `prf${any(prf)}`, any(named(numbers))];
    return parts.join("-");
}

/** The same of phase 2. */
export function espProposal({ encryption, integrity, groups: numbers }: Offered): string {
    return [any(encryption), ...(combined(encryption) ? [] : [any(integrity)]), any(named(numbers))].join("-");
}

/** Whether the encryption protects against changes by itself. */
function combined(encryption: readonly string[]): boolean {
    return encryption.length > 0 && encryption.every((each) => each.includes("gcm"));
}

function named(numbers: readonly string[]): readonly string[] {
    return numbers.map((number) => groups[number] ?? `group${number}`);
}

function any(algorithms: readonly string[]): string {
    return algorithms.length === 0 ? "whatever" : algorithms.join("|");
}
