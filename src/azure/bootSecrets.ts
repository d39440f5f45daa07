/**
 * Settings of {@link bootSecretsScript}.
 *
 * @param vaultUri such as `https://name.vault.azure.net/`
 * @param clientId of the machine's user-assigned identity
 */
export function bootSecretsSettings(vaultUri: string, clientId: string): Record<string, string> {
    const vault = new URL(vaultUri);
    // The audience is the vaults' common name, which differs among Azure's clouds.
    return { VAULT_URI: vault.origin, VAULT_AUDIENCE: `https://${vault.hostname.replace(/^[^.]+[.]/, "")}`, CLIENT_ID: clientId };
}

/**
 * `fetch_item NAME` for a machine in Azure: a token of the machine's own identity by the metadata server, then Key Vault's REST API. A value
 * arrives as text, final line feeds included. Neither token nor value becomes an argument of a process, which other users of the machine
 * could read.
 */
export const bootSecretsScript = `fetch_item() {
    local token
    token="$(curl --silent --show-error --fail --max-time 10 --header 'Metadata: true' --get \\
        --data 'api-version=2018-02-01' --data-urlencode "resource=$VAULT_AUDIENCE" --data-urlencode "client_id=$CLIENT_ID" \\
        'http://169.254.169.254/metadata/identity/oauth2/token' |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')" || return 1
    if [ -z "$token" ]; then
        return 1
    fi
    (
        set -o pipefail
        printf 'header = "Authorization: Bearer %s"\\n' "$token" |
            curl --silent --show-error --fail --max-time 30 --config - "$VAULT_URI/secrets/$1?api-version=7.4" |
            python3 -c 'import json, sys; sys.stdout.write(json.load(sys.stdin)["value"])'
    )
}
`;
