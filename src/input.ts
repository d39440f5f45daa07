import * as pulumi from "@pulumi/pulumi";
import { InputError } from "./errors.js";

/**
 * Runs a component's pure checks and shows a wrong argument as one line under the component, without a stack.
 * Anything else that is thrown passes through as it is.
 */
export function failOn<T>(resource: pulumi.Resource, check: () => T): T {
    try {
        return check();
    } catch (error) {
        if (error instanceof InputError) {
            throw new pulumi.ResourceError(error.message, resource, true);
        }
        throw error;
    }
}

/**
 * Checks a value now where it is plain, else gates the output on the check: `pulumi preview` fails as early as the value is known.
 * The returned value is the checked one, so that nothing can use the unchecked input by accident.
 */
export function checked<T, R>(resource: pulumi.Resource, value: pulumi.Input<T>, check: (value: T) => R): pulumi.Output<R> {
    if (pulumi.Output.isInstance(value) || value instanceof Promise) {
        return pulumi.output(value).apply((known) => failOn(resource, () => check(known as T))) as pulumi.Output<R>;
    }
    return pulumi.output(failOn(resource, () => check(value as T))) as pulumi.Output<R>;
}
