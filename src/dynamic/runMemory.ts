import { nameInUrn } from "./claims.js";
import {
    digestOf,
    packedInputs,
    packedOutputs,
    type Stored,
    type StoredForm,
    sealedKey,
    sealOf,
    unpacked,
} from "./storedForm.js";
import { hasUnknown, unknownValue } from "./unknown.js";

const urnKey = "progressUrn";

/**
 * What one run knows beside its state: the secrets that its program has sent, and the URNs of its resources.
 *
 * The engine sends every resource through `check` before it diffs, creates or updates it, in the same process. So the checked inputs
 * need not carry secrets: state keeps digests of them, and create and update find the values here. Outputs keep the secrets that
 * refresh and destroy need, which run without the program.
 */
export class RunMemory {
    readonly #form: StoredForm | undefined;
    readonly #secrets = new Map<string, Stored>();
    readonly #urns = new Map<string, string>();

    constructor(form: StoredForm | undefined) {
        this.#form = form;
    }

    /** Properties as a lifecycle uses them, with the secrets where this run knows them. */
    opened<T>(stored: object): T {
        const flat = unpacked(this.#form, stored as Stored, unknownValue);
        const sealed = flat[sealedKey];
        const secrets = typeof sealed === "string" ? this.#secrets.get(sealed) : undefined;
        const urn = this.#urns.get(String(flat[urnKey]));
        return { ...flat, ...secrets, ...(urn === undefined ? {} : { [urnKey]: urn }) } as T;
    }

    /** The same, always with the digests of its secrets. */
    sealed<T>(stored: object, canonical: (flat: T) => Stored | undefined): T {
        const flat = this.opened<Stored>(stored);
        return this.#form === undefined || flat[sealedKey] !== undefined
            ? (flat as T)
            : ({ ...flat, [sealedKey]: sealOf(this.#form, flat, canonical(flat as T)) } as T);
    }

    /** What state is to hold of checked inputs. Inputs that are not known yet stay as the program sent them: they are never stored. */
    inputs(stored: object, flat: object, canonical: () => Stored | undefined): Stored {
        const all = flat as Stored;
        const short = { ...all, ...this.#shortUrn(all) };
        if (this.#form === undefined) {
            return short;
        }
        if (hasUnknown(all)) {
            return stored as Stored;
        }
        const { secrets: names } = this.#form;
        const known = typeof all[sealedKey] === "string" ? all[sealedKey] : undefined;
        const sealed = known ?? sealOf(this.#form, all, canonical());
        this.#secrets.set(sealed, {
            ...this.#secrets.get(sealed),
            ...Object.fromEntries(names.filter((name) => all[name] !== undefined).map((name) => [name, all[name]])),
        });
        return packedInputs(this.#form, short, sealed);
    }

    /** What state is to hold of outputs. */
    outputs(flat: object): Stored {
        const all = flat as Stored;
        return packedOutputs(this.#form, { ...all, ...this.#shortUrn(all) });
    }

    /** Inputs as a refresh has found them. */
    foundInputs(flat: object): Stored {
        const all = flat as Stored;
        const short = { ...all, ...this.#shortUrn(all) };
        return this.#form === undefined ? short : packedInputs(this.#form, short, all[sealedKey]);
    }

    /** A short name for a resource, the same in every run, whether its URN or that name is given. */
    ownerOf(urn: string): string {
        if (!urn.startsWith("urn:")) {
            return urn;
        }
        const owner = digestOf(urn).slice(0, 12);
        this.#urns.set(owner, urn);
        return owner;
    }

    /** A resource's own name, where this run has it in its program. */
    nameOf(owner: string): string {
        return nameInUrn(this.#urns.get(owner) ?? owner);
    }

    #shortUrn(flat: Stored): Stored {
        const urn = flat[urnKey];
        return typeof urn === "string" && urn !== "" && urn !== unknownValue ? { [urnKey]: this.ownerOf(urn) } : {};
    }
}
