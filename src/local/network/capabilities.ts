import { charonPlaces } from "./holder/charonDaemon.js";
import { run } from "./holder/commands.js";
import { unshareArgs } from "./holder/unshare.js";

/** What a tier needs of the machine: a network with translation, BGP on it, IPsec tunnels. Each holds what is before it. */
export type Capability = "network" | "bgp" | "ipsec";

const ranked: readonly Capability[] = ["network", "bgp", "ipsec"];

/** What a step that fails means, and what mends it. Codes are those that the script below ends with. */
const faults: Readonly<Record<number, string>> = {
    20: "the command ip is missing; install it (Debian, Ubuntu: apt-get install iproute2)",
    21: "the command nft is missing; install it (Debian, Ubuntu: apt-get install nftables)",
    22: "a folder of its own cannot be mounted in a new namespace; in a container this needs a seccomp and AppArmor profile that allows mount",
    23: "network namespaces or virtual cables cannot be made; the kernel needs CONFIG_NET_NS and CONFIG_VETH",
    24: "nftables does not take rules for address translation; the kernel needs nf_tables with NAT (modprobe nft_chain_nat nft_ct)",
    25: "packets cannot be forwarded in a namespace: /proc/sys is read-only here; in a container run it with a writable /proc/sys",
    26: "BIRD is missing; install it (Debian, Ubuntu: apt-get install bird2)",
    27: "no TUN device can be made; load it (modprobe tun) and let everybody open it (chmod 0666 /dev/net/tun), in a container pass --device /dev/net/tun",
    28: "strongSwan's swanctl is missing; install it (Debian, Ubuntu: apt-get install strongswan-swanctl)",
    29: "strongSwan's charon is missing; install it (Debian, Ubuntu: apt-get install strongswan-charon)",
    30: "strongSwan does not start with the plugins openssl, kernel-libipsec, socket-default and vici; install them (Debian, Ubuntu: apt-get install libcharon-extra-plugins libstrongswan-standard-plugins)",
};

const ends = (code: number) => `|| exit ${code}`;
const rules = [
    "table ip try {",
    '    chain out { type nat hook postrouting priority srcnat; oifname "w" snat to 198.18.0.1; }',
    "    chain pass { type filter hook forward priority filter; ct state established accept; tcp flags syn tcp option maxseg size set 1350; }",
    "}",
].join("\n");
const settings =
    "charon {\n load = openssl random nonce kdf pem pkcs1 pubkey x509 kernel-libipsec kernel-netlink socket-default vici\n}\n";

/** Tries everything for real, in namespaces that go with the script. */
const steps: Readonly<Record<Capability, readonly string[]>> = {
    network: [
        `ip -V >/dev/null 2>&1 ${ends(20)}`,
        `nft --version >/dev/null 2>&1 ${ends(21)}`,
        `mount -t tmpfs tmpfs /run ${ends(22)}`,
        "mkdir /run/netns",
        `ip netns add try ${ends(23)}`,
        `ip link add one type veth peer name two netns try ${ends(23)}`,
        `printf '%s\\n' '${rules}' | ip netns exec try nft -f - ${ends(24)}`,
        `ip netns exec try sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward' ${ends(25)}`,
    ],
    bgp: [`bird --version >/dev/null 2>&1 ${ends(26)}`],
    ipsec: [
        `ip tuntap add dev try mode tun ${ends(27)}`,
        `swanctl --help >/dev/null 2>&1 ${ends(28)}`,
        `charon=; for each in ${charonPlaces.join(" ")}; do if [ -z "$charon" ] && [ -x "$each" ]; then charon=$each; fi; done`,
        `[ -n "$charon" ] ${ends(29)}`,
        `printf '${settings.replaceAll("\n", "\\n")}' > /run/strongswan.conf`,
        'STRONGSWAN_CONF=/run/strongswan.conf ip netns exec try "$charon" >/dev/null 2>&1 &',
        "n=0; while ! ip -n try link show ipsec0 >/dev/null 2>&1; do n=$((n+1)); [ $n -lt 100 ] || exit 30; sleep 0.05; done",
    ],
};

const tried = new Map<Capability, Promise<string | undefined>>();

/**
 * Whether this machine can do something, by doing it. Once for each process.
 *
 * @returns what is missing and what mends it, in a sentence; undefined where it works
 */
export function whatIsMissing(capability: Capability): Promise<string | undefined> {
    const known = tried.get(capability) ?? attempt(capability);
    tried.set(capability, known);
    return known;
}

async function attempt(capability: Capability): Promise<string | undefined> {
    if (process.platform !== "linux") {
        return "it needs Linux with namespaces; use a Linux machine or virtual machine, or level process";
    }
    const lines = ranked.slice(0, ranked.indexOf(capability) + 1).flatMap((each) => steps[each]);
    const path = `PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"; export PATH`;
    const { code, stderr } = await run(
        "unshare",
        [...unshareArgs, "--", "sh", "-c", [path, ...lines, "exit 0"].join("\n")],
        "",
        30_000,
    );
    return code === 0 ? undefined : meaningOf(code, stderr.trim());
}

/** What an exit code and the words before it mean. */
export function meaningOf(code: number, said: string): string {
    const known = faults[code];
    if (known !== undefined) {
        const words = said.split("\n").at(-1) ?? "";
        return words === "" ? known : `${known} (${words.slice(0, 200)})`;
    }
    if (code === 127 || /ENOENT/.test(said)) {
        return "the command unshare is missing; install it (Debian, Ubuntu: apt-get install util-linux)";
    }
    if (/No space left on device/.test(said)) {
        return "no more user namespaces may be made: sysctl -w user.max_user_namespaces=15000";
    }
    if (/Operation not permitted|Permission denied/.test(said)) {
        return "users may not make namespaces here: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu 23.10 and later), sysctl -w kernel.unprivileged_userns_clone=1 (older Debian); in a container allow unshare in its seccomp profile";
    }
    return `namespaces cannot be made (${said.slice(0, 200) || `unshare ended with ${code}`})`;
}
