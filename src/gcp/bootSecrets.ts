import type { BootItemName } from "../emqx/boot/bootItems.js";

/** The shell variable that holds the resource name of an item's secret: `SECRET_SERVER_CERT` for `server-cert`. */
export function itemVariable(item: BootItemName): string {
    return `SECRET_${item.toUpperCase().replaceAll("-", "_")}`;
}

/**
 * `fetch_item NAME` for a machine in GCP: the machine's own identity by the metadata server, then Secret Manager's REST API. Secret Manager
 * answers in base64, so that a value arrives byte by byte, final line feeds included. Neither token nor value becomes an argument of a
 * process, which other users of the machine could read.
 */
export const bootSecretsScript = `fetch_item() {
    local variable secret token
    variable="SECRET_$(printf '%s' "$1" | tr 'a-z-' 'A-Z_')"
    secret="\${!variable:-}"
    if [ -z "$secret" ]; then
        echo "no secret is named for $1" >&2
        return 1
    fi
    token="$(curl --silent --show-error --fail --max-time 10 --header 'Metadata-Flavor: Google' \\
        'http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token' |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')" || return 1
    if [ -z "$token" ]; then
        return 1
    fi
    (
        set -o pipefail
        printf 'header = "Authorization: Bearer %s"\\n' "$token" |
            curl --silent --show-error --fail --max-time 30 --config - \\
                "https://secretmanager.googleapis.com/v1/$secret/versions/latest:access" |
            python3 -c 'import base64, json, sys; sys.stdout.buffer.write(base64.b64decode(json.load(sys.stdin)["payload"]["data"]))'
    )
}
`;
