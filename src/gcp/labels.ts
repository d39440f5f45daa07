import { InputError, quote } from "../errors.js";

/** GCP's bounds for the labels of one resource. */
const most = 64;

/**
 * Tags as GCP takes them, as labels: keys and values of lower-case letters, digits, `_` and `-`, at most 63 characters, keys beginning with
 * a letter. A tag that GCP would refuse is refused here; none is rewritten, since others look for labels by their text.
 *
 * @throws InputError naming the tag
 */
export function checkLabels(tags: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    const entries = Object.entries(tags);
    if (entries.length > most) {
        throw new InputError("tags", `${entries.length} are too many; GCP takes ${most} labels, two of which are Linkspan's own`);
    }
    for (const [key, value] of entries) {
        if (!/^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u.test(key)) {
            throw new InputError(
                "tags",
                `${quote(key)} cannot be a label's key in GCP; use 1 to 63 lower-case letters, digits, "_" and "-", beginning with a letter`,
            );
        }
        if (typeof value !== "string" || !/^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u.test(value)) {
            throw new InputError(
                `tags[${quote(key)}]`,
                `${quote(value)} cannot be a label's value in GCP; use up to 63 lower-case letters, digits, "_" and "-"`,
            );
        }
    }
    return tags;
}
