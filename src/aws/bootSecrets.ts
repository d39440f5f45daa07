/**
 * `fetch_item NAME` for a machine in AWS: the machine's own identity by the metadata service (version 2), then Systems Manager's API with a
 * signed request. Settings: `AWS_REGION`, `SSM_URL` and `PARAMETER_PREFIX`. Neither credentials nor value become an argument of a process, which other
 * users of the machine could read.
 */
export const bootSecretsScript = `fetch_item() {
    local metadata=http://169.254.169.254/latest token role credentials
    token="$(curl --silent --show-error --fail --max-time 10 --request PUT \\
        --header 'X-aws-ec2-metadata-token-ttl-seconds: 300' "$metadata/api/token")" || return 1
    role="$(printf 'header = "X-aws-ec2-metadata-token: %s"\\n' "$token" |
        curl --silent --show-error --fail --max-time 10 --config - \\
            "$metadata/meta-data/iam/security-credentials/")" || return 1
    credentials="$(printf 'header = "X-aws-ec2-metadata-token: %s"\\n' "$token" |
        curl --silent --show-error --fail --max-time 10 --config - \\
            "$metadata/meta-data/iam/security-credentials/$role" |
        python3 -c 'import json, sys
found = json.load(sys.stdin)
print("user = \\"%s:%s\\"" % (found["AccessKeyId"], found["SecretAccessKey"]))
print("header = \\"X-Amz-Security-Token: %s\\"" % found["Token"])')" || return 1
    (
        set -o pipefail
        printf '%s\\n' "$credentials" |
            curl --silent --show-error --fail --max-time 30 --config - --aws-sigv4 "aws:amz:$AWS_REGION:ssm" \\
                --header 'Content-Type: application/x-amz-json-1.1' --header 'X-Amz-Target: AmazonSSM.GetParameter' \\
                --data "{\\"Name\\":\\"$PARAMETER_PREFIX/$1\\",\\"WithDecryption\\":true}" \\
                "$SSM_URL/" |
            python3 -c 'import json, sys; sys.stdout.write(json.load(sys.stdin)["Parameter"]["Value"])'
    )
}
`;
