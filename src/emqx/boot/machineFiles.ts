import { doorPorts } from "../ports.js";
import { bootPaths } from "./bootItems.js";

/** A file that user data puts on a broker machine. */
export interface MachineFile {
    readonly path: string;
    readonly content: string;
    /** Octal, as cloud-init takes it. */
    readonly permissions: string;
}

/** Leaves room for IPsec over a path of 1400 bytes, the smallest MTU that the tunnels of the three clouds have. */
const maxSegment = 1350;

/** Restarts of the script are spaced by this; it waits for minutes itself. */
const restartSeconds = 30;

const bootUnit = `[Unit]
Description=Linkspan: disk, package, secrets and configuration of EMQX
Wants=network-online.target
After=network-online.target
Before=emqx.service
StartLimitIntervalSec=0
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/linkspan-boot
Restart=on-failure
RestartSec=${restartSeconds}
[Install]
WantedBy=multi-user.target
`;

const refreshUnit = `[Unit]
Description=Linkspan: renewal of certificates and licence
After=linkspan-boot.service
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/linkspan-boot refresh
`;

const refreshTimer = `[Unit]
Description=Linkspan: renewal of certificates and licence
[Timer]
OnActiveSec=10min
OnUnitActiveSec=10min
RandomizedDelaySec=60
[Install]
WantedBy=timers.target
`;

/** EMQX starts only with its data disk and its items. An assertion fails the start, where a condition would skip it silently. */
const emqxDropIn = `[Unit]
Requires=linkspan-boot.service
After=linkspan-boot.service network-online.target
RequiresMountsFor=${bootPaths.data}
AssertPathIsMountPoint=${bootPaths.data}
AssertPathExists=/run/linkspan/ready
[Service]
EnvironmentFile=${bootPaths.environment}
LimitNOFILE=1048576
`;

/** A name that was asked for too early must not stay unknown for minutes. */
const resolver = "[Resolve]\nCache=no-negative\n";

/** EMQ's tuning page; the doors' ports are kept from outgoing connections, to which the wider range would hand them. */
const kernelSettings = `fs.file-max=2097152
fs.nr_open=2097152
net.core.somaxconn=32768
net.core.netdev_max_backlog=16384
net.core.rmem_max=16777216
net.core.wmem_max=16777216
net.ipv4.ip_local_port_range=1024 65535
net.ipv4.ip_local_reserved_ports=1883,4370,5370,8083-8084,8883-8884,18083-18084
net.ipv4.tcp_fin_timeout=15
net.ipv4.tcp_max_syn_backlog=16384
net.ipv4.tcp_max_tw_buckets=1048576
net.ipv4.tcp_rmem=1024 4096 16777216
net.ipv4.tcp_wmem=1024 4096 16777216
net.netfilter.nf_conntrack_max=1000000
net.netfilter.nf_conntrack_tcp_timeout_time_wait=30
`;

/**
 * Segment sizes of links, in both directions and whichever side opens, so that no tier's path needs fragments. And the clouds' metadata
 * services, which hand out the machine's identity: for root only. Only opening packets are refused, and not name or time service.
 */
const packetFilter = `table inet linkspan
delete table inet linkspan
table inet linkspan {
 chain arriving {
  type filter hook input priority mangle;
  tcp flags syn tcp dport ${doorPorts.links} tcp option maxseg size set ${maxSegment}
  tcp flags syn tcp sport ${doorPorts.links} tcp option maxseg size set ${maxSegment}
 }
 chain leaving {
  type filter hook output priority mangle;
  tcp flags syn tcp dport ${doorPorts.links} tcp option maxseg size set ${maxSegment}
  tcp flags syn tcp sport ${doorPorts.links} tcp option maxseg size set ${maxSegment}
  ip daddr { 169.254.169.254, 168.63.129.16 } tcp dport { 80, 443, 32526 } tcp flags & (syn | ack) == syn meta skuid != 0 reject
 }
}
`;

/** Files that are the same on every broker machine, next to the script itself. */
export const machineFiles: readonly MachineFile[] = [
    file("/etc/systemd/system/linkspan-boot.service", bootUnit),
    file("/etc/systemd/system/linkspan-refresh.service", refreshUnit),
    file("/etc/systemd/system/linkspan-refresh.timer", refreshTimer),
    file("/etc/systemd/system/emqx.service.d/linkspan.conf", emqxDropIn),
    file("/etc/systemd/resolved.conf.d/linkspan.conf", resolver),
    file("/etc/sysctl.d/90-linkspan.conf", kernelSettings),
    file("/etc/linkspan/filter.nft", packetFilter),
];

/** What cloud-init does once, at the first boot. Later boots are systemd's. */
export const firstBootCommands: readonly (readonly string[])[] = [
    ["systemctl", "daemon-reload"],
    ["systemctl", "restart", "systemd-resolved.service"],
    ["systemctl", "enable", "linkspan-boot.service"],
    ["systemctl", "enable", "--now", "linkspan-refresh.timer"],
    ["systemctl", "start", "--no-block", "linkspan-boot.service"],
];

function file(path: string, content: string): MachineFile {
    return { path, content, permissions: "0644" };
}
