import type { Link } from "../links/link.js";
import type { LinkManager } from "../links/manager.js";
import { LinkRefusal, showLink } from "../links/settings.js";
import { ApiError, type Call, created, noContent, objectBody, ok, type Route } from "./router.js";

/** `/cluster/links`: EMQX's routes for cluster links. */
export function linkRoutes(links: LinkManager, node: string): Route[] {
    const one = ({ params }: Call): Link => {
        const link = links.get(params.name ?? "");
        if (link === undefined) {
            throw new ApiError(404, "NOT_FOUND", "Cluster link not found");
        }
        return link;
    };
    const show = (link: Link, stored = true) => {
        const { status } = link;
        return { status, node_status: [{ node, status }], ...showLink(link.settings, stored) };
    };
    const refusing = async <T>(work: () => Promise<T>): Promise<T> => {
        try {
            return await work();
        } catch (error) {
            if (error instanceof LinkRefusal) {
                throw new ApiError(400, "BAD_REQUEST", error.message);
            }
            throw error;
        }
    };
    return [
        {
            method: "GET",
            path: "/api/v5/cluster/links",
            // EMQX 5.10 shows a disabled link as inconsistent in the list only.
            handle: () =>
                ok(
                    links
                        .list()
                        .map((link) =>
                            link.settings.enable ? show(link) : { ...show(link), status: "inconsistent", node_status: [] },
                        ),
                ),
        },
        {
            method: "POST",
            path: "/api/v5/cluster/links",
            handle: (call) =>
                refusing(async () => {
                    const body = objectBody(call);
                    if (typeof body.name === "string" && links.get(body.name) !== undefined) {
                        throw new ApiError(400, "ALREADY_EXISTS", "Cluster link already exists");
                    }
                    return created(show(await links.create(body), false));
                }),
        },
        { method: "GET", path: "/api/v5/cluster/links/link/{name}", handle: (call) => ok(show(one(call))) },
        {
            method: "PUT",
            path: "/api/v5/cluster/links/link/{name}",
            handle: (call) =>
                refusing(async () => {
                    const link = one(call);
                    const { name: _ignored, ...body } = objectBody(call);
                    await links.update(link, body);
                    return ok(show(link, false));
                }),
        },
        {
            method: "DELETE",
            path: "/api/v5/cluster/links/link/{name}",
            handle: (call) => {
                links.remove(one(call));
                return noContent;
            },
        },
        {
            method: "GET",
            path: "/api/v5/cluster/links/link/{name}/metrics",
            handle: (call) => {
                const link = one(call);
                const metrics = { router: { routes: links.routes(link) }, forwarding: link.forwarder.metrics() };
                return ok({ metrics, node_metrics: [{ node, metrics }] });
            },
        },
        {
            method: "PUT",
            path: "/api/v5/cluster/links/link/{name}/metrics/reset",
            handle: (call) => {
                one(call).forwarder.resetMetrics();
                return noContent;
            },
        },
    ];
}
