import { InputError } from "../errors.js";
import { type Device, type DeviceTunnel, interfaceId } from "./device.js";
import { lifetimes, presharedKeyForm, suites } from "./suite.js";

/**
 * The device's `swanctl.conf`. Holds the pre-shared keys: a secret, for a file that only root reads.
 *
 * @throws InputError for a key that a cloud would refuse; its message never shows the key
 */
export function renderSwanctl(device: Device): string {
    const connections = device.tunnels.map((tunnel, index) => connection(device, tunnel, index));
    const secrets = device.tunnels.map(secret);
    return ["connections {", ...connections.flat().map(indent), "}", "secrets {", ...secrets.flat().map(indent), "}", ""].join(
        "\n",
    );
}

function connection(device: Device, tunnel: DeviceTunnel, index: number): string[] {
    const suite = suites[device.suite];
    const routed = device.dataPath === "xfrm";
    return [
        `${tunnel.name} {`,
        "    version = 2",
        `    local_addrs = ${tunnel.localAddress}`,
        `    remote_addrs = ${tunnel.remoteAddress}`,
        `    proposals = ${suite.ike}`,
        `    rekey_time = ${lifetimes.ike}s`,
        "    dpd_delay = 10s",
        "    dpd_timeout = 30s",
        // Both sides keep trying: a tunnel that is down must come back without anybody.
        "    keyingtries = 0",
        "    mobike = no",
        // Clouds take and send large packets in pieces that firewalls on the way drop; IKE's own fragments pass.
        "    fragmentation = yes",
        "    local {",
        "        auth = psk",
        `        id = ${tunnel.localAddress}`,
        "    }",
        "    remote {",
        "        auth = psk",
        `        id = ${tunnel.remoteAddress}`,
        "    }",
        "    children {",
        `        ${tunnel.name} {`,
        ...(routed
            ? ["            local_ts = 0.0.0.0/0", "            remote_ts = 0.0.0.0/0"]
            : [
                  `            local_ts = ${[...device.ranges, `${tunnel.localInside}/32`].join(",")}`,
                  `            remote_ts = ${[...tunnel.remoteRanges, `${tunnel.remoteInside}/32`].join(",")}`,
              ]),
        `            esp_proposals = ${suite.esp}`,
        `            rekey_time = ${lifetimes.esp}s`,
        "            mode = tunnel",
        "            start_action = start",
        "            close_action = start",
        "            dpd_action = restart",
        ...(routed ? [`            if_id_in = ${interfaceId(index)}`, `            if_id_out = ${interfaceId(index)}`] : []),
        "        }",
        "    }",
        "}",
    ];
}

function secret(tunnel: DeviceTunnel): string[] {
    if (!presharedKeyForm.test(tunnel.presharedKey)) {
        throw new InputError(
            `presharedKeys["${tunnel.name}"]`,
            "it does not fit every cloud; use 32 letters and digits that do not begin with 0",
        );
    }
    return [
        `ike-${tunnel.name} {`,
        `    id-local = ${tunnel.localAddress}`,
        `    id-remote = ${tunnel.remoteAddress}`,
        `    secret = "${tunnel.presharedKey}"`,
        "}",
    ];
}

function indent(line: string): string {
    return `    ${line}`;
}
