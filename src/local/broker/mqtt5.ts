import type { Duplex } from "node:stream";
import { generate } from "mqtt-packet";

/** Answers an MQTT 5 CONNECT in MQTT 5's own words (reason 0x84) and closes, so that the client's log says why. */
export function refuseMqtt5(connection: Duplex, done: () => void): void {
    const refusal = generate(
        {
            cmd: "connack",
            sessionPresent: false,
            reasonCode: 0x84,
            properties: { reasonString: "this local broker speaks MQTT 3.1 and 3.1.1 only" },
        },
        { protocolVersion: 5 },
    );
    connection.end(refusal, () => done());
}
