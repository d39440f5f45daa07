import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { link as parseLink } from "./answers.js";
import { diffLink, type RemoteLinkLike } from "./linkDiff.js";
import type { LinkSpec } from "./linkShape.js";
import { linkSpec, toRequest } from "./linkSpec.js";

const spec: LinkSpec = {
    ...linkSpec({
        name: "gcp",
        server: "gcp.example.com:8884",
        clientIdPrefix: "aws-",
        username: "link-aws",
        password: "s3cret",
        topics: ["b/#", "a/+"],
    }),
    tls: {
        enable: true,
        verify: "verify_peer",
        ca: "CA TEXT",
        cert: "CERT TEXT",
        key: "KEY TEXT",
        serverName: "gcp.example.com",
    },
};

/** What EMQX 5.10.3 answers for what it was sent: own defaults beside it, no password, paths for PEM texts. */
function answer(of: LinkSpec): Record<string, unknown> {
    const { password, ssl, resource_opts: options, ...rest } = toRequest(of);
    const paths = Object.fromEntries(
        ["cacertfile", "certfile", "keyfile"]
            .filter((key) => key in ssl)
            .map((key) => [key, `data/certs/cluster/links/gcp/${key}-96F35D31`]),
    );
    return {
        status: "connected",
        node_status: [{ node: "aws1@127.0.0.1", status: "connected" }],
        ...rest,
        ...(password === undefined ? {} : { password: "******" }),
        resource_opts: {
            health_check_interval_jitter: "0ms",
            health_check_timeout: "60s",
            inflight_window: 100,
            start_timeout: "5s",
            worker_pool_size: 16,
            ...options,
        },
        ssl: {
            ciphers: [],
            depth: 10,
            hibernate_after: "5s",
            log_level: "notice",
            verify: "verify_none",
            versions: ["tlsv1.3", "tlsv1.2"],
            ...ssl,
            ...paths,
        },
    };
}

const remote = (change: Record<string, unknown> = {}, of = spec): RemoteLinkLike => parseLink({ ...answer(of), ...change });
const ssl = (change: Record<string, unknown>) => ({ ssl: { ...(answer(spec).ssl as Record<string, unknown>), ...change } });
const options = (change: Record<string, unknown>) => ({
    resource_opts: { ...(answer(spec).resource_opts as Record<string, unknown>), ...change },
});

describe("a link's difference", () => {
    it("is none right after it was written", () => {
        expect(diffLink(spec, remote())).toEqual([]);
        const plain: LinkSpec = { ...spec, tls: { enable: false, verify: "verify_none" } };
        expect(diffLink(plain, remote({}, plain))).toEqual([]);
        const named: LinkSpec = { ...spec, tls: { enable: true, verify: "verify_peer" } };
        expect(diffLink(named, remote({}, named))).toEqual([]);
    });

    const none: readonly (readonly [string, Record<string, unknown>])[] = [
        ["order of topics", { topics: ["b/#", "a/+"] }],
        ["milliseconds as a number", { retry_interval: 1000 }],
        ["milliseconds as a text", { retry_interval: "1000ms" }],
        ["TTL in milliseconds", options({ request_ttl: 45_000 })],
        ["buffer in bytes", options({ max_buffer_bytes: 268_435_456 })],
        ["defaults of another release", { tcp_opts: { keepalive: "60s" }, ...options({ query_mode: "async" }) }],
        ["certificates at other paths", ssl({ cacertfile: "elsewhere", certfile: "elsewhere", keyfile: "elsewhere" })],
        ["state", { status: "disconnected", node_status: [] }],
        ["host in capitals", { server: "GCP.example.com:8884" }],
    ];
    it.each(none)("is none in %s", (_what, change) => {
        expect(diffLink(spec, remote(change))).toEqual([]);
    });

    const some: readonly (readonly [string, Record<string, unknown>])[] = [
        ["topics", { topics: ["a/+"] }],
        ["topics", { topics: ["a/+", "b/#", "c"] }],
        ["topics", { topics: [] }],
        ["server", { server: "gcp.example.com:8883" }],
        ["enable", { enable: false }],
        ["poolSize", { pool_size: 8 }],
        ["retryInterval", { retry_interval: "15s" }],
        ["maxInflight", { max_inflight: 32 }],
        ["clientId", { clientid: "other-" }],
        ["username", { username: "somebody" }],
        ["password", { password: undefined }],
        ["resourceOptions", options({ health_check_interval: "15s" })],
        ["resourceOptions", options({ request_ttl: "infinity" })],
        ["resourceOptions", options({ max_buffer_bytes: "1MB" })],
        ["tls", ssl({ enable: false })],
        ["tls", ssl({ verify: "verify_none" })],
        ["tls", ssl({ server_name_indication: "other.example.com" })],
        ["tls", ssl({ server_name_indication: "disable" })],
        ["tls", ssl({ certfile: undefined })],
    ];
    it.each(some)("is seen in %s: %j", (key, change) => {
        expect(diffLink(spec, remote(change))).toEqual([key]);
    });

    it("names every key that differs, and the name itself", () => {
        expect(diffLink(spec, remote({ name: "x", topics: [], enable: false }))).toEqual(["name", "topics", "enable"]);
    });

    it("takes a name that was never set as EMQX shows it", () => {
        const byAddress: LinkSpec = { ...spec, tls: { enable: true, verify: "verify_peer", ca: "CA" } };
        const shown = { ...(answer(byAddress).ssl as Record<string, unknown>), server_name_indication: "disable" };
        expect(diffLink(byAddress, remote({ ssl: shown }, byAddress))).toEqual([]);
    });

    it("is none for any spec that was just written", () => {
        const level = fc.stringMatching(/^[a-z0-9]{1,4}$/);
        fc.assert(
            fc.property(
                fc.uniqueArray(level, { maxLength: 6 }),
                fc.integer({ min: 1, max: 64 }),
                fc.integer({ min: 100, max: 600_000 }),
                fc.boolean(),
                (topics, poolSize, retry, enable) => {
                    const any = linkSpec({
                        name: "n",
                        server: "h:1",
                        clientIdPrefix: "p-",
                        topics,
                        poolSize,
                        retryInterval: `${retry}ms`,
                        enable,
                    });
                    expect(diffLink(any, remote({}, any))).toEqual([]);
                },
            ),
        );
    });
});
