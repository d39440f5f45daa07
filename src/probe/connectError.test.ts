import { describe, expect, it } from "vitest";
import { type ConnectAttempt, connectError } from "./connectError.js";

const attempt: ConnectAttempt = {
    site: "gcp",
    host: "broker.example",
    port: 8883,
    tls: true,
    serverName: "gcp.example",
    username: "probe",
    hasCertificate: false,
    stage: "tcp",
    waitedSeconds: 10,
};

describe("the cause of a connection that failed", () => {
    it.each([
        ["ENOTFOUND", {}, /host name does not exist/, "unreachable"],
        ["EAI_AGAIN", {}, /name server did not answer/, "unreachable"],
        [
            "ECONNREFUSED",
            {},
            /nothing listens there\. Check that the broker runs and that its listener has port 8883/,
            "unreachable",
        ],
        ["EHOSTUNREACH", {}, /no route to the host/, "unreachable"],
        ["ENETUNREACH", {}, /no route to the network/, "unreachable"],
        ["timeout", {}, /no answer after 10 s; something on the way drops/, "unreachable"],
        ["ETIMEDOUT", {}, /no answer after 10 s/, "unreachable"],
        ["timeout", { stage: "tls" }, /port is open, but nothing answered the TLS handshake/, "refused"],
        ["timeout", { stage: "mqtt" }, /port is open, but no MQTT answer/, "refused"],
        ["ECONNRESET", {}, /closed before the broker answered/, "unreachable"],
        ["closed", { stage: "mqtt" }, /closed before the broker answered.*client certificate/, "refused"],
        ["ECONNRESET", { stage: "tls" }, /during the TLS handshake/, "refused"],
        ["protocol", { stage: "mqtt" }, /does not speak MQTT/, "refused"],
        ["SELF_SIGNED_CERT_IN_CHAIN", { stage: "tls" }, /not signed by an authority.*Set ca/, "refused"],
        ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", { stage: "tls" }, /not signed by an authority/, "refused"],
        ["CERT_HAS_EXPIRED", { stage: "tls" }, /has expired/, "refused"],
        ["CERT_NOT_YET_VALID", { stage: "tls" }, /not valid yet.*clocks/, "refused"],
        ["ERR_TLS_CERT_ALTNAME_INVALID", { stage: "tls" }, /not made for "gcp\.example".*Set serverName/, "refused"],
        ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", { stage: "mqtt" }, /asks for a client certificate/, "refused"],
        [
            "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA",
            { stage: "tls", hasCertificate: true },
            /does not accept the probe's client certificate/,
            "refused",
        ],
        ["ERR_SSL_WRONG_VERSION_NUMBER", { stage: "tls" }, /does not speak TLS.*tls to false/, "refused"],
        [1, { stage: "mqtt" }, /does not speak MQTT 3\.1\.1/, "refused"],
        [2, { stage: "mqtt" }, /refuses the client id.*clientIdPrefix/, "refused"],
        [3, { stage: "mqtt" }, /takes no connections now/, "refused"],
        [4, { stage: "mqtt" }, /password of user "probe" is wrong/, "refused"],
        [5, { stage: "mqtt" }, /user "probe" is not authorized/, "refused"],
        [5, { stage: "mqtt", username: undefined }, /client without a user name is not authorized/, "refused"],
        ["EWEIRD", { stage: "tls" }, /EWEIRD the connection failed/, "refused"],
    ] as const)("%s %j", (code, more, message, failure) => {
        const error = connectError({ ...attempt, ...more }, code);
        expect(error.message).toMatch(message);
        expect(error.message).toContain('cannot connect the delivery probe to site "gcp" at mqtts://broker.example:8883:');
        expect(error.failure).toBe(failure);
    });

    it("passes only where waiting can help", () => {
        const passing = (code: string | number) => connectError(attempt, code).passing;
        expect([passing("ECONNREFUSED"), passing("ENOTFOUND"), passing(3)]).toEqual([true, true, true]);
        expect([passing("CERT_HAS_EXPIRED"), passing(4), passing(5)]).toEqual([false, false, false]);
    });
});
