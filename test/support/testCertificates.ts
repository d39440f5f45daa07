import { createAuthority, issueCertificate } from "../../src/identity/issue.js";

/** A certificate and its key, PEM. */
export interface TestCertificate {
    readonly cert: string;
    readonly key: string;
}

/** A certificate authority for tests. Made once per process: the keys protect nothing. */
export interface TestAuthority {
    readonly ca: string;
    readonly key: string;
    /** A server certificate for 127.0.0.1 and localhost. */
    server(): Promise<TestCertificate>;
    /** A certificate for both roles with a host name; `daysAgo` sets back the time of issue (validity is one day). */
    link(host: string, daysAgo?: number): Promise<TestCertificate>;
}

const day = 24 * 60 * 60 * 1000;

export async function testAuthority(name = "Linkspan test CA"): Promise<TestAuthority> {
    const authority = await createAuthority(name, 400, undefined, Date.now() - 100 * day);
    const parts = { certPem: authority.certPem, keyPem: authority.keyPem };
    const issue = async (host: string, addresses: readonly string[], daysAgo: number): Promise<TestCertificate> => {
        const issued = await issueCertificate(
            {
                commonName: host,
                dnsNames: [host],
                ipAddresses: addresses,
                usage: ["server", "client"],
                validityDays: 1,
            },
            parts,
            Date.now() - daysAgo * day,
        );
        return { cert: issued.certPem, key: issued.keyPem };
    };
    return {
        ca: authority.certPem,
        key: authority.keyPem,
        server: () => issue("localhost", ["127.0.0.1"], 0),
        link: (host, daysAgo = 0) => issue(host, [], daysAgo),
    };
}
