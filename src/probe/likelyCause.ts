import type { ApiEndpoint } from "../emqx/endpoint.js";
import type { ProbeSide } from "./deliveryReport.js";
import type { DeliveryResult } from "./deliveryResult.js";

export async function likelyCause(
    _a: ProbeSide & { readonly api?: ApiEndpoint },
    _b: ProbeSide & { readonly api?: ApiEndpoint },
    _results: readonly DeliveryResult[],
): Promise<string | undefined> {
    return undefined;
}
