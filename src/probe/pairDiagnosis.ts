import { EmqxClient } from "../emqx/client.js";
import { diagnosePair, type Finding, likelyCause as mostTelling } from "../emqx/diagnosis.js";
import type { ApiEndpoint } from "../emqx/endpoint.js";
import { gatherEnd } from "../emqx/gatherEnd.js";
import { clientIdPrefix, linkUser } from "../naming.js";
import type { ProbeSide } from "./deliveryReport.js";

/** One end of a pair, as far as its REST API is asked about it. */
export interface DiagnosedEnd {
    readonly site: string;
    readonly clusterName: string;
    readonly api: ApiEndpoint;
    /** Client-id prefix of this cluster's links on its peer. */
    readonly clientIdPrefix?: string | undefined;
    /** User that this cluster's links log in with on the peer. */
    readonly linkUser?: string | undefined;
}

/** Asks both ends of a pair about everything that can keep messages from crossing. An API that does not answer is a finding, no error. */
export async function diagnoseEnds(a: DiagnosedEnd, b: DiagnosedEnd, requestSeconds: number): Promise<Finding[]> {
    const facts = async (end: DiagnosedEnd, peer: DiagnosedEnd) => {
        const client = new EmqxClient(end.api, {
            requestSeconds,
            connectSeconds: Math.min(5, requestSeconds),
            attempts: 1,
            name: end.site,
        });
        try {
            return await gatherEnd(client, {
                site: end.site,
                clusterName: end.clusterName,
                linkName: peer.clusterName,
                linkUserOfPeer: peer.linkUser ?? linkUser(peer.clusterName),
                clientIdPrefix: end.clientIdPrefix ?? clientIdPrefix(end.clusterName),
            });
        } finally {
            client.close();
        }
    };
    const [factsOfA, factsOfB] = await Promise.all([facts(a, b), facts(b, a)]);
    return diagnosePair(factsOfA, factsOfB);
}

/** Seconds for each answer while a failure is explained: the failure itself is known already. */
const explainSeconds = 10;

/** The most likely reason why messages do not cross, in one sentence; `undefined` where the APIs show none or are not known. */
export async function likelyCause(
    a: ProbeSide & { readonly api?: ApiEndpoint },
    b: ProbeSide & { readonly api?: ApiEndpoint },
): Promise<string | undefined> {
    if (a.api === undefined || b.api === undefined) {
        return undefined;
    }
    const end = ({ site, clusterName }: ProbeSide, api: ApiEndpoint): DiagnosedEnd => ({ site, clusterName, api });
    return mostTelling(await diagnoseEnds(end(a, a.api), end(b, b.api), explainSeconds));
}
