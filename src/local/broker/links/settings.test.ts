import { describe, expect, test } from "vitest";
import { bytesOf, certificatePath, checkLink, durationMs, LinkRefusal, showLink, splitServer } from "./settings.js";

const pem = "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n";
const body = { name: "gcp", server: "gcp.link.m.internal:8884", topics: ["x/#"] };

test.each([
    ["15s", 15_000],
    ["1m30s", 90_000],
    ["500ms", 500],
    ["1H", 3_600_000],
    [5000, 5000],
    ["5000", 5000],
    ["infinity", Number.POSITIVE_INFINITY],
    ["abc", undefined],
    ["", undefined],
    [-1, undefined],
    ["1s x", undefined],
])("durationMs(%o) is %o", (value, expected) => expect(durationMs(value)).toBe(expected));

test.each([
    ["256MB", 268_435_456],
    ["10kb", 10_240],
    ["7", 7],
    [7, 7],
    ["x", undefined],
    [1.5, undefined],
])("bytesOf(%o) is %o", (value, expected) => expect(bytesOf(value)).toBe(expected));

test.each([
    ["h:1", { host: "h", port: 1 }],
    ["h", { host: "h", port: 1883 }],
])("splitServer(%s)", (server, expected) => expect(splitServer(server)).toEqual(expected));

describe("checkLink", () => {
    test("fills in EMQX's defaults", () => {
        expect(checkLink(body, undefined, undefined)).toMatchObject({
            enable: true,
            pool_size: 8,
            retry_interval: "15s",
            max_inflight: 32,
        });
    });

    test("keeps the password behind the mask and clears an omitted one", () => {
        const before = checkLink({ ...body, password: "s" }, undefined, undefined);
        const { name: _name, ...put } = body;
        expect(checkLink({ ...put, password: "******" }, "gcp", before).password).toBe("s");
        expect(checkLink(put, "gcp", before).password).toBeUndefined();
        expect(checkLink({ ...put, password: "******" }, "gcp", undefined).password).toBeUndefined();
    });

    test("takes the path that it showed for a PEM as that PEM, and no other path", () => {
        const before = checkLink({ ...body, ssl: { enable: true, cacertfile: pem } }, undefined, undefined);
        const shown = showLink(before).ssl as { cacertfile: string };
        expect(shown.cacertfile).toBe(certificatePath("gcp", "cacertfile", pem));
        const { name: _name, ...put } = body;
        expect(checkLink({ ...put, ssl: shown }, "gcp", before).ssl.cacertfile).toBe(pem);
        expect(() => checkLink({ ...put, ssl: { cacertfile: "/etc/passwd" } }, "gcp", before)).toThrow(/bad_ssl_config/);
    });

    test.each([
        [{ pool_size: 0 }, /pos_integer/],
        [{ enable: "yes" }, /boolean/],
        [{ ssl: { verify: "maybe" } }, /not_a_enum_symbol/],
        [{ ssl: { bogus: 1 } }, /unknown_fields/],
        [{ ssl: [] }, /bad_value_for_struct/],
        [{ resource_opts: { batch_size: 1 } }, /unknown_fields.*root\.resource_opts/],
        [{ resource_opts: { max_buffer_bytes: "much" } }, /bytesize/],
        [{ username: 7 }, /string/],
        [{ topics: "x" }, /required_field/],
        [{ topics: ["a+"] }, /topic_invalid_char/],
        [{ topics: [""] }, /empty_topic/],
        [{ server: "h:x" }, /bad_port_number/],
    ])("refuses %o", (change, message) => {
        expect(() => checkLink({ ...body, ...change }, undefined, undefined)).toThrow(LinkRefusal);
        expect(() => checkLink({ ...body, ...change }, undefined, undefined)).toThrow(message);
    });

    test("shows no secret", () => {
        const settings = checkLink(
            { ...body, password: "secret", ssl: { enable: true, keyfile: pem.replace(/abc/, "key-material") } },
            undefined,
            undefined,
        );
        expect(JSON.stringify(showLink(settings))).not.toMatch(/secret|key-material/);
    });
});
