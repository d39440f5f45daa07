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
    const suite = suites[tunnel.suite ?? device.suite];
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
        // An end that was started anew is the same end: what it had before goes.
        ...(device.dataPath === "userspace" ? ["    unique = replace"] : []),
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
        ...(device.dataPath === "xfrm"
            ? child(
                  device,
                  tunnel,
                  tunnel.name,
                  ["0.0.0.0/0", "0.0.0.0/0"],
                  [`            if_id_in = ${interfaceId(index)}`, `            if_id_out = ${interfaceId(index)}`],
              )
            : [
                  // One pair of selectors in each: kernel-libipsec refuses a second one to the same range.
                  ...child(device, tunnel, tunnel.name, [device.ranges.join(","), tunnel.remoteRanges.join(",")], []),
                  ...child(
                      device,
                      tunnel,
                      routesChild(tunnel.name),
                      [`${tunnel.localInside}/32`, `${tunnel.remoteInside}/32`],
                      [],
                  ),
              ]),
        "    }",
        "}",
    ];
}

/** Name of the child that carries BGP and BFD, where selectors tell packets apart. */
export function routesChild(tunnel: string): string {
    return `${tunnel}-routes`;
}

function child(
    device: Device,
    { initiates = true, suite = device.suite }: DeviceTunnel,
    name: string,
    [local, remote]: readonly [string, string],
    more: readonly string[],
): string[] {
    return [
        `        ${name} {`,
        `            local_ts = ${local}`,
        `            remote_ts = ${remote}`,
        `            esp_proposals = ${suites[suite].esp}`,
        `            rekey_time = ${lifetimes.esp}s`,
        "            mode = tunnel",
        `            start_action = ${initiates ? "start" : "none"}`,
        `            close_action = ${initiates ? "start" : "none"}`,
        `            dpd_action = ${initiates ? "restart" : "clear"}`,
        ...more,
        "        }",
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
