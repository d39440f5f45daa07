/**
 * The script that prepares a broker machine: bash, run as root by systemd. `linkspan-boot` runs at every boot, `linkspan-boot refresh`
 * every ten minutes. It is the same text on every node, site and cloud; all values come from `/etc/linkspan/boot.env`.
 *
 * Every step may be run again at any time: what is in place is left alone. A step that fails is told on the serial console as
 * `linkspan-boot <node>: FAILED at <step>: <reason>`, and systemd starts the script again. Tests set `LINKSPAN_ROOT`, a folder that
 * stands for `/`.
 */
export const bootScript = `#!/bin/bash
set -euo pipefail
umask 077

root=\${LINKSPAN_ROOT:-}
etc=$root/etc/linkspan
run=$root/run/linkspan
data=$root/var/lib/emqx
cache=$root/var/cache/linkspan
disk_seconds=300
fetch_seconds=600
refresh_seconds=120
item_seconds=60
label=emqx-data
tls=(ca server-cert server-key link-cert link-key)
secrets=(cookie dashboard-password api-keys users license)
step=start
reason=
staged=

# On the serial console too: the one thing of a machine without login that its cloud shows.
tell() {
    printf 'linkspan-boot %s: %s\\n' "\${LINKSPAN_NODE:-}" "$*" >&2
    { printf 'linkspan-boot %s: %s\\r\\n' "\${LINKSPAN_NODE:-}" "$*" >>"$root/dev/console"; } 2>/dev/null || true
}

fail() {
    reason=$*
    exit 1
}

finish() {
    local code=$?
    [[ -z $staged ]] || rm -rf "$staged"
    [[ $code -eq 0 ]] || tell "FAILED at $step: \${reason:-exit code $code}"
}

# retry SECONDS COMMAND...: until it succeeds or the seconds are spent, with growing pauses.
retry() {
    local limit=$1 spent=0 pause=2 began
    shift
    while began=$SECONDS; ! "$@"; do
        spent=$((spent + SECONDS - began))
        [[ $spent -lt $limit ]] || return 1
        sleep "$pause"
        spent=$((spent + pause))
        pause=$((pause < 16 ? pause * 2 : 30))
    done
}

# place FROM TO MODE OWNER: as one rename, and only where the content differs.
place() {
    cmp -s "$1" "$2" && return 0
    install -m "$3" "$1" "$2.new"
    chown "$4" "$2.new"
    mv -f "$2.new" "$2"
}

is_disk() {
    [[ -e $1 && $(lsblk -dnro TYPE "$1" 2>/dev/null) =~ ^(disk|part|loop)$ ]]
}

# Links by-id are resolved at every boot: the device behind one may have another name then.
find_disk() {
    local hint
    for hint in \${LINKSPAN_DISK_HINTS:-}; do
        disk=$(readlink -f "$root$hint") || continue
        ! is_disk "$disk" || return 0
    done
    disk=$(blkid -L "$label" 2>/dev/null) || return 1
    is_disk "$disk"
}

# A disk is formatted only when it can be read and nothing at all is found on it.
mount_data() {
    local waited=0 found code=0
    ! mountpoint -q "$data" || return 0
    until find_disk; do
        [[ $waited -lt $disk_seconds ]] ||
            fail "no data disk after $waited s: none of \${LINKSPAN_DISK_HINTS:-}, none labelled $label"
        sleep 2
        waited=$((waited + 2))
    done
    [[ -z $(lsblk -nro MOUNTPOINT "$disk" | tr -d '[:space:]') ]] || fail "$disk is in use elsewhere"
    head -c 4096 "$disk" >/dev/null || fail "$disk cannot be read"
    found=$(blkid -p -o export "$disk") || code=$?
    case $code in
        0) [[ -n $found ]] || fail "$disk: blkid says neither what it holds nor that it is empty" ;;
        2)
            [[ -z $found ]] || fail "$disk: blkid says that it is empty and what it holds"
            mkfs.ext4 -q -m 1 -L "$label" "$disk" || fail "$disk cannot be formatted"
            ;;
        *) fail "$disk: blkid cannot tell what it holds (exit code $code); it stays as it is" ;;
    esac
    mkdir -p "$data"
    chmod 0755 "$data"
    mount -o noatime,nodev,nosuid "$disk" "$data" || fail "$disk holds data that cannot be mounted; it stays as it is"
    resize2fs "$disk" >/dev/null || tell "WARNING: a data disk that was enlarged is not used whole"
}

# Tuning makes a broker faster, not correct: a value that a kernel refuses must not keep it off the air.
tune() {
    sysctl -e -q -p "$root/etc/sysctl.d/90-linkspan.conf" || tell "WARNING: not every kernel setting was taken"
    swapoff -a || tell "WARNING: swap is still on"
}

filter() {
    command -v nft >/dev/null || retry "$fetch_seconds" apt_install nftables || fail "nftables cannot be installed"
    nft -f "$etc/filter.nft" || fail "nft does not take $etc/filter.nft"
}

apt_install() (
    umask 022
    export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
    apt=(apt-get -q -y -o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold)
    dpkg --configure -a && "\${apt[@]}" update && "\${apt[@]}" --no-install-recommends install "$@"
)

download() {
    local actual
    curl -fsSL --proto '=https' --connect-timeout 10 --speed-limit 10000 --speed-time 30 \\
        -o "$cache/emqx.part" "$LINKSPAN_PACKAGE_URL" || { reason="$LINKSPAN_PACKAGE_URL does not answer"; return 1; }
    actual=$(sha256sum <"$cache/emqx.part") || return 1
    actual=\${actual%% *}
    if [[ $actual != "$LINKSPAN_PACKAGE_SHA256" ]]; then
        rm -f "$cache/emqx.part"
        reason="$LINKSPAN_PACKAGE_URL has SHA-256 $actual, not $LINKSPAN_PACKAGE_SHA256"
        return 1
    fi
    mv -f "$cache/emqx.part" "$cache/emqx.deb"
}

install_emqx() {
    local stamp=$root/var/lib/linkspan/package version
    if [[ -x $root/usr/bin/emqx && -f $stamp && $(<"$stamp") == "$LINKSPAN_PACKAGE_SHA256" ]]; then
        return 0
    fi
    mkdir -p "$cache" "\${stamp%/*}"
    chmod 0755 "$cache"
    retry "$fetch_seconds" download || fail "$reason"
    reason=
    chmod 0644 "$cache/emqx.deb"
    version=$(dpkg-deb -f "$cache/emqx.deb" Version) || fail "the package cannot be read"
    [[ $version =~ ^([0-9]+:)?"$LINKSPAN_EMQX_VERSION"([-+~].*)?$ ]] ||
        fail "the package is of EMQX $version, not $LINKSPAN_EMQX_VERSION"
    retry "$fetch_seconds" apt_install "$cache/emqx.deb" || fail "the package cannot be installed"
    printf '%s\\n' "$LINKSPAN_PACKAGE_SHA256" >"$stamp"
    rm -f "$cache/emqx.deb"
}

# In a shell of its own: what the cloud's script sets or breaks stays there.
fetch_one() {
    # shellcheck disable=SC2016
    timeout "$item_seconds" bash -euo pipefail -c 'set -a; . "$1"; set +a; . "$2"; fetch_item "$3"' \\
        fetch "$etc/boot.env" "$etc/fetch-item.sh" "$1" </dev/null
}

# A certificate and its key are two items: between their renewals the store holds two that do not belong together.
paired() {
    local of_cert of_key
    of_cert=$(openssl x509 -noout -pubkey -in "$staged/$1-cert") || return 1
    of_key=$(openssl pkey -pubout -in "$staged/$1-key") || return 1
    [[ $of_cert == "$of_key" ]]
}

fetch_missing() {
    local item pair missing=()
    for item in "$@"; do
        [[ ! -s $staged/$item ]] || continue
        if ! fetch_one "$item" >"$staged/$item" || [[ ! -s $staged/$item ]]; then
            : >"$staged/$item"
            missing+=("$item")
        fi
    done
    reason="not in the secret store, or not to be read: \${missing[*]-}"
    [[ \${#missing[@]} -eq 0 ]] || return 1
    openssl x509 -noout -in "$staged/ca" || { reason="the item ca is no certificate"; : >"$staged/ca"; return 1; }
    for pair in server link; do
        if ! paired "$pair"; then
            : >"$staged/$pair-cert"
            : >"$staged/$pair-key"
            reason="the items $pair-cert and $pair-key do not belong together"
            return 1
        fi
    done
    reason=
}

fetch() {
    local limit=$1
    shift
    mkdir -p "$run/secrets"
    chmod 0755 "$run" "$run/secrets"
    rm -rf "$run"/next.*
    staged=$(mktemp -d "$run/next.XXXXXX")
    retry "$limit" fetch_missing "$@" || fail "$reason"
}

# A folder with all files, then one rename of the link to it: no handshake meets a certificate without its key.
replace_tls() {
    local item next old changed=()
    for item in "\${tls[@]}"; do
        cmp -s "$staged/$item" "$run/tls/$item.pem" || changed+=("$item")
    done
    [[ \${#changed[@]} -gt 0 ]] || return 0
    next=$(mktemp -d "$run/tls.XXXXXX")
    chmod 0755 "$next"
    for item in "\${tls[@]}"; do
        if [[ " \${changed[*]} " == *" $item "* ]]; then
            install -m 0600 "$staged/$item" "$next/$item.pem"
            chown emqx:emqx "$next/$item.pem"
        else
            ln "$run/tls/$item.pem" "$next/$item.pem"
        fi
    done
    ln -s "\${next##*/}" "$next.link"
    mv -fT "$next.link" "$run/tls"
    # EMQX reads a file again when it is newer than EMQX's last look: the times must follow the rename.
    for item in "\${changed[@]}"; do
        touch "$run/tls/$item.pem"
    done
    for old in "$run"/tls.*; do
        [[ $old == "$next" ]] || rm -rf "$old"
    done
    tell "new in place: \${changed[*]}"
}

# set_variable NAME ITEM BEFORE AFTER: one line of EMQX's environment.
set_variable() {
    local value
    value=$(tr -d '[:space:]' <"$staged/$2")
    [[ $value =~ ^[A-Za-z0-9._~+/=-]+$ ]] || fail "the item $2 has a character that EMQX's environment cannot hold"
    printf '%s=%s%s%s\\n' "$1" "$3" "$value" "$4"
}

set_license() {
    set_variable EMQX_LICENSE__KEY license "'\\"" "\\"'"
}

# The prefix keeps a cookie from beginning with "-", which Erlang would take for an option; quotes keep a value a text.
place_secrets() {
    local item
    for item in api-keys users; do
        place "$staged/$item" "$run/secrets/$item" 0600 emqx:emqx
    done
    set_variable EMQX_NODE__COOKIE cookie linkspan- '' >"$staged/env"
    set_variable EMQX_DASHBOARD__DEFAULT_PASSWORD dashboard-password "'\\"" "\\"'" >>"$staged/env"
    set_license >>"$staged/env"
    place "$staged/env" "$run/emqx.env" 0600 root:root
}

prepare() {
    step="data disk"
    mount_data
    step="kernel settings"
    tune
    step="packet filter"
    filter
    step="EMQX package"
    install_emqx
    step="boot items"
    fetch "$fetch_seconds" "\${tls[@]}" "\${secrets[@]}"
    replace_tls
    place_secrets
    step="EMQX configuration"
    chown emqx:emqx "$data"
    place "$etc/emqx.conf" "$root/etc/emqx/emqx.conf" 0640 root:emqx
    step="EMQX start"
    : >"$run/ready"
    systemctl daemon-reload
    systemctl enable -q emqx.service
    systemctl start --no-block emqx.service
    tell READY
}

fetch_license() {
    fetch_one license >"$staged/license" && [[ -s $staged/license ]]
}

# For the next start of EMQX: a running one is told of a new licence by its API.
renew_license() {
    retry "$refresh_seconds" fetch_license || fail "not in the secret store, or not to be read: license"
    grep -v '^EMQX_LICENSE__KEY=' "$run/emqx.env" >"$staged/env" || fail "$run/emqx.env holds no cookie"
    set_license >>"$staged/env"
    place "$staged/env" "$run/emqx.env" 0600 root:root
}

# The cookie, users and keys that EMQX was started with stay: a running node must not part from its cluster.
refresh() {
    [[ -e $run/ready ]] || return 0
    step="renewal of certificates"
    fetch "$refresh_seconds" "\${tls[@]}"
    replace_tls
    step="renewal of the licence"
    renew_license
}

if [[ \${BASH_SOURCE[0]} == "$0" ]]; then
    trap finish EXIT
    step=settings
    # shellcheck disable=SC1091
    . "$etc/boot.env"
    case \${1:-prepare} in
        prepare | refresh) "\${1:-prepare}" ;;
        *) fail "there is no $1" ;;
    esac
fi
`;
