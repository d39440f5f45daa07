import { createHash } from "node:crypto";
import { textAt } from "../paths.mts";
import { type AccountView, CloudError, type Props, type Scope } from "../types.mts";

/** The account's number. */
export const accountId = "111122223333";

/** Region of a resource: its own, else the provider's. */
export function regionOf({ inputs, config }: Pick<Scope, "inputs" | "config">): string {
    return textAt(inputs, "region") || textAt(config, "region") || "us-east-1";
}

/** An id as EC2 gives them: prefix and seventeen hexadecimal digits. */
export function freshId(account: AccountView, prefix: string): string {
    return `${prefix}-0${hex(`${prefix}${account.next(prefix)}`, 16)}`;
}

export function hex(text: string, digits: number): string {
    return createHash("sha256").update(text).digest("hex").slice(0, digits);
}

export function arn(service: string, region: string, rest: string): string {
    return `arn:aws:${service}:${region}:${accountId}:${rest}`;
}

/** The next public address of Amazon's: documentation addresses, so that nothing that escapes the simulation reaches anybody. */
export function publicAddress(account: AccountView): string {
    return `198.51.100.${((account.next("public address") - 1) % 254) + 1}`;
}

/** An error as EC2 says it. */
export function ec2Error(code: string, message: string): CloudError {
    return new CloudError(code, message);
}

/** Refuses inputs that fit no object. */
export function refuse(condition: boolean, code: string, message: string): void {
    if (condition) {
        throw new CloudError(code, message);
    }
}

/** Inputs that every regional resource of the provider has. */
export function regional(scope: Scope): Props {
    return { region: regionOf(scope) };
}
