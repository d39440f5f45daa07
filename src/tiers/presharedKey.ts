import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const digits = "0123456789";
const length = 32;

/**
 * A tunnel's pre-shared key from a random secret: 32 letters and digits, the first one a letter, about 190 bits. Every cloud takes that
 * form; the secret's own text (base64url) not every one does.
 */
export function presharedKey(secret: pulumi.Input<string>): pulumi.Output<string> {
    return pulumi.secret(pulumi.output(secret).apply(keyOf));
}

/** The key of a secret. Pure. */
export function keyOf(secret: string): string {
    // A byte gives one character where it is below the largest multiple of the alphabet, so that all characters are equally likely.
    let key = "";
    for (let round = 0; key.length < length; round++) {
        for (const byte of createHash("sha512").update(`${round}/${secret}`).digest()) {
            const alphabet = key === "" ? letters : letters + digits;
            if (byte < 256 - (256 % alphabet.length) && key.length < length) {
                key += alphabet[byte % alphabet.length];
            }
        }
    }
    return key;
}
