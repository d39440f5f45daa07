import { describe, expect, it } from "vitest";
import { renderBird } from "./bird.js";
import { cloudTimers, type Device } from "./device.js";
import { renderFrr } from "./frr.js";
import { renderSetup } from "./setup.js";
import { renderSwanctl } from "./swanctl.js";

const keys = ["Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1", "Bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb2"];
const device = (more: Partial<Device> = {}): Device => ({
    site: "plant",
    asn: 64_527,
    ranges: ["10.7.0.0/16"],
    routerId: "203.0.113.7",
    suite: "aes-cbc",
    timers: cloudTimers,
    dataPath: "xfrm",
    tunnels: [0, 1].map((index) => ({
        name: `gcp-${index}`,
        localAddress: "203.0.113.7",
        remoteAddress: `198.51.100.${index + 1}`,
        localInside: `169.254.32.${4 * index + 2}`,
        remoteInside: `169.254.32.${4 * index + 1}`,
        presharedKey: keys[index] ?? "",
        remoteAsn: 64_522,
        remoteRanges: ["10.2.0.0/16"],
    })),
    ...more,
});

/** The part of a braced text below a name. */
function block(text: string, name: string): string {
    const start = text.indexOf(`${name} {`);
    expect(start).toBeGreaterThanOrEqual(0);
    let depth = 0;
    for (let at = text.indexOf("{", start); at < text.length; at++) {
        depth += text[at] === "{" ? 1 : text[at] === "}" ? -1 : 0;
        if (depth === 0) {
            return text.slice(start, at + 1);
        }
    }
    throw new Error(`${name} is never closed`);
}

describe("renderSwanctl", () => {
    it("gives each tunnel a connection of its own, with one proposal and its own key", () => {
        const text = renderSwanctl(device());
        expect(text).toMatchSnapshot();
        for (const [index, key] of keys.entries()) {
            expect(block(text, `ike-gcp-${index}`)).toContain(`secret = "${key}"`);
            expect(block(text, `gcp-${index}`)).toContain(`if_id_out = ${4_200 + index}`);
        }
        expect(text.match(/(?<!esp_)proposals = /g)).toHaveLength(2);
        expect(text).not.toMatch(/proposals = .*,/);
    });

    it("uses the other suite's algorithms, and selectors where there are no interfaces", () => {
        const text = renderSwanctl(device({ suite: "aes-gcm", dataPath: "userspace" }));
        expect(text).toContain("proposals = aes256gcm16-prfsha384-ecp384");
        expect(text).toContain("esp_proposals = aes256gcm16-ecp384");
        expect(text).toContain("remote_ts = 10.2.0.0/16\n");
        expect(block(text, "gcp-0-routes")).toContain("remote_ts = 169.254.32.1/32");
        expect(text).not.toContain("if_id");
    });
    it("lets an end answer only, for data paths on which two ends must not begin at once", () => {
        const tunnels = device().tunnels.map((tunnel) => ({ ...tunnel, initiates: false }));
        const text = renderSwanctl(device({ dataPath: "userspace", tunnels }));
        expect(text.match(/start_action = none/g)).toHaveLength(4);
        expect(text).not.toMatch(/(start|close)_action = start|dpd_action = restart/);
    });

    it.each(["0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "short", 'Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}', ""])(
        "refuses a key that a cloud would refuse, without showing it: %s",
        (presharedKey) => {
            const wrong = device({ tunnels: device().tunnels.map((tunnel) => ({ ...tunnel, presharedKey })) });
            expect(() => renderSwanctl(wrong)).toThrow('presharedKeys["gcp-0"]: it does not fit every cloud');
            expect(() => renderSwanctl(wrong)).not.toThrow(new RegExp(presharedKey.slice(1, 20) || "never"));
        },
    );
});

describe("renderBird and renderFrr", () => {
    it("take from each peer its own ranges and tell it the site's, nothing else", () => {
        const bird = renderBird(device());
        const frr = renderFrr(device());
        expect(bird).toMatchSnapshot();
        expect(frr).toMatchSnapshot();
        for (const index of [0, 1]) {
            expect(bird).toContain(`filter from_gcp_${index} { if net ~ [ 10.2.0.0/16 ] then accept; reject; }`);
            expect(bird).toContain(`neighbor 169.254.32.${4 * index + 1} as 64522;`);
            expect(frr).toContain(`neighbor 169.254.32.${4 * index + 1} prefix-list from-gcp-${index} in`);
            expect(frr).toContain(`ip prefix-list from-gcp-${index} seq 5 permit 10.2.0.0/16`);
        }
        expect(bird.match(/export filter told/g)).toHaveLength(2);
        expect(frr.match(/prefix-list told out/g)).toHaveLength(2);
        expect(`${bird}${frr}`).not.toMatch(/import all|export all/);
        expect(`${bird}${frr}`).not.toMatch(new RegExp(keys.join("|")));
    });

    it("speak BFD only where it is asked for: managed gateways do not", () => {
        const timers = { ...cloudTimers, bfd: { intervalMs: 100, multiplier: 3 } };
        expect(renderBird(device())).not.toContain("bfd");
        expect(renderFrr(device())).not.toContain("bfd");
        expect(renderBird(device({ timers }))).toContain("interval 100 ms; multiplier 3;");
        expect(renderBird(device({ timers: { ...timers, errorWait: [1, 5] } }))).toContain("error wait time 1, 5;");
        expect(renderFrr(device({ timers }))).toContain("bfd 3 100 100");
    });
});

describe("renderSetup", () => {
    it("makes an interface for each tunnel, clamps segments both ways, and can be run again", () => {
        const text = renderSetup(device());
        expect(text).toMatchSnapshot();
        expect(text.match(/ip link add/g)).toHaveLength(2);
        expect(text.match(/maxseg size set 1350/g)).toHaveLength(2);
        expect(text).toContain("rp_filter=2");
    });
});
