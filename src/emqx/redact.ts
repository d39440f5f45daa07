/** What stands for a secret in a message. */
const mask = "***";

/**
 * Takes secrets out of a text of another side, in every form in which it may repeat them: plain, inside JSON or Erlang quotes, as base64
 * (also as part of a longer text, such as an Authorization header), URL-encoded or hexadecimal.
 */
export function redact(text: string, secrets: readonly string[]): string {
    const parts = secrets.flatMap((secret) => [secret, ...linesOf(secret)]).filter((secret) => secret !== "");
    const forms = [...new Set(parts.flatMap(formsOf))].sort((a, b) => b.length - a.length);
    return forms.length === 0 ? text : text.replace(new RegExp(forms.map(escapeForRegExp).join("|"), "gi"), mask);
}

/** The values of a request that must not be repeated: everything below a key that names a password, a key or a secret. */
export function secretsOf(value: unknown, isSecret = false): string[] {
    if (typeof value === "string") {
        return isSecret ? [value] : [];
    }
    if (typeof value !== "object" || value === null) {
        return [];
    }
    return Object.entries(value).flatMap(([key, inner]) =>
        secretsOf(inner, isSecret || /password|secret|keyfile|token|private|^key$/i.test(key)),
    );
}

/** The lines of a PEM text, which may come back one by one. */
function linesOf(secret: string): string[] {
    return secret.includes("\n") ? secret.split(/\r?\n/).filter((line) => line.length >= 16 && !line.startsWith("-----")) : [];
}

function formsOf(secret: string): string[] {
    const bytes = Buffer.from(secret, "utf8");
    const quoted = JSON.stringify(secret).slice(1, -1);
    return [
        secret,
        quoted,
        quoted.replaceAll("/", "\\/"),
        encodeURIComponent(secret.toWellFormed()),
        encodeURI(secret.toWellFormed()),
        new URLSearchParams({ "": secret }).toString().slice(1),
        bytes.toString("hex"),
        ...insideBase64(bytes),
    ].filter((form) => form !== "");
}

/** How bytes look in base64 whatever stands before and after them: at each of the three offsets, without the characters shared with neighbours. */
function insideBase64(bytes: Buffer): string[] {
    return ["base64", "base64url"].flatMap((encoding) => {
        const form = encoding as "base64" | "base64url";
        const whole = bytes.toString(form).replace(/=+$/, "");
        const shifted = [0, 1, 2].map((offset) => {
            const text = Buffer.concat([Buffer.alloc(offset), bytes])
                .toString(form)
                .replace(/=+$/, "");
            const shared = (bytes.length + offset) % 3 === 0 ? 0 : 1;
            return text.slice(offset === 0 ? 0 : offset + 1, text.length - shared);
        });
        // Very short pieces would stand in ordinary words.
        return [whole, ...shifted.filter((piece) => piece.length >= 6)];
    });
}

function escapeForRegExp(text: string): string {
    return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
