/** The certificates of a PEM text, each with its own markers, in their order. */
export function splitPem(pem: string): string[] {
    return pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
}
