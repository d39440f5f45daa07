import { describe, expect, it } from "vitest";
import { canonical, digestOf } from "./canonical.js";
import { readSas } from "./sas.js";
import { causeIn, readSession } from "./tunnelReport.js";

const sas = `b-0: #1, ESTABLISHED, IKEv2, dd2d_i* 09b4_r
  local  '198.18.1.6' @ 198.18.1.6[4500]
  b-0: #1, reqid 1, INSTALLED, TUNNEL-in-UDP, ESP:AES_CBC-256/HMAC_SHA2_256_128
    local  10.1.0.0/16
  b-0-routes: #2, reqid 2, REKEYING, TUNNEL-in-UDP, ESP:AES_CBC-256
c-0: #2, CONNECTING, IKEv2, 3c5b_i* 0000_r
`;

describe("readSas", () => {
    it("tells connections apart, and children that carry packets from others", () => {
        expect(readSas(sas, "b-0")).toEqual({ ike: true, connecting: false, installed: 1, present: ["b-0", "b-0-routes"] });
        expect(readSas(sas, "c-0")).toEqual({ ike: false, connecting: true, installed: 0, present: [] });
        expect(readSas("", "b-0")).toEqual({ ike: false, connecting: false, installed: 0, present: [] });
    });
});

describe("readSession", () => {
    const text = `Name       Proto      Table      State  Since         Info
tunnel_b_0 BGP        ---        start  23:17:53.000  Active        Received: Bad peer AS
  BGP state:          Active
    Last error:       Received: Bad peer AS
tunnel_b_01 BGP       ---        up     23:17:53.000  Established
  BGP state:          Established
`;
    it("reads a session's state and last error, and no other's", () => {
        expect(readSession(text, "tunnel_b_0")).toEqual({ state: "Active", error: "Received: Bad peer AS" });
        expect(readSession(text, "tunnel_b_01")).toEqual({ state: "Established" });
        expect(readSession(text, "tunnel_c_0")).toEqual({ state: "unknown" });
    });
});

describe("causeIn", () => {
    const line = (connection: string, text: string) => `01[IKE] <${connection}|1> ${text}`;
    it.each([
        ["received AUTHENTICATION_FAILED notify error", "the pre-shared keys of the two sides differ"],
        ["received TS_UNACCEPTABLE notify, no CHILD_SA built", "the ranges of the two sides do not match"],
        ["received NO_PROPOSAL_CHOSEN notify error", "the suites of the two sides differ"],
        ["giving up after 12 retransmits", "the peer does not answer IKE"],
    ])("explains %s", (said, meaning) => {
        expect(causeIn(line("b-0", said), "b-0")).toContain(meaning);
        expect(causeIn(line("b-01", said), "b-0")).toBeUndefined();
    });
    it("forgets what was wrong before it went well", () => {
        const log = [
            line("b-0", "received AUTHENTICATION_FAILED notify error"),
            line("b-0", "CHILD_SA b-0{1} established with SPIs"),
        ];
        expect(causeIn(log.join("\n"), "b-0")).toBeUndefined();
        expect(causeIn(log.reverse().join("\n"), "b-0")).toBeDefined();
    });
});

describe("canonical", () => {
    it("is the same whatever the order of keys, and another when anything else differs", () => {
        expect(JSON.stringify(canonical({ b: [{ d: 1, c: 2 }], a: undefined }))).toBe('{"b":[{"c":2,"d":1}]}');
        expect(digestOf({ a: 1, b: { c: [1, 2] } })).toBe(digestOf({ b: { c: [1, 2] }, a: 1 }));
        expect(digestOf({ c: [1, 2] })).not.toBe(digestOf({ c: [2, 1] }));
    });
});
