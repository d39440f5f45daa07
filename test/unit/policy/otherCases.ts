import { oneResource, type RuleCase, resource } from "./ruleCase.js";

const balancer = "aws:lb/loadBalancer:LoadBalancer";
const policy = "aws:iam/rolePolicy:RolePolicy";
const role = "aws:iam/role:Role";
const projectGrant = "gcp:projects/iAMMember:IAMMember";
const secretGrant = "gcp:secretmanager/secretIamMember:SecretIamMember";
const nat = "aws:ec2/natGateway:NatGateway";
const link = "pulumi-nodejs:dynamic/linkspan:ClusterLink";
const instance = "aws:ec2/instance:Instance";
const account = "serviceAccount:brokers@p.iam.gserviceaccount.com";

const allow = (Action: unknown, Resource: unknown) => ({
    policy: JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action, Resource }] }),
});
const assume = (Principal: unknown, more: Record<string, unknown> = {}) => ({
    assumeRolePolicy: JSON.stringify({ Statement: { Effect: "Allow", Principal, Action: "sts:AssumeRole", ...more } }),
});
const owner = "/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
const secretsUser = "/providers/Microsoft.Authorization/roleDefinitions/4633458b-17de-408a-b874-0445c86b69e6";
const log = (type: string, property: string, props: Record<string, unknown> = {}) =>
    resource(type, props, { name: "log", propertyDependencies: { [property]: ["network"] } });
const strongKey = "aB3dE6gH9jK2mN5pQ8sT1vW4";

const balancers: readonly RuleCase[] = [
    oneResource("AWS-0053", balancer, [{ internal: true }, { loadBalancerType: "gateway" }], [[{}, "internal is not on"]]),
    oneResource(
        "AWS-0047",
        "aws:lb/listener:Listener",
        [{ protocol: "TCP" }, { protocol: "TLS", sslPolicy: "ELBSecurityPolicy-TLS13-1-2-2021-06" }],
        [
            [{ protocol: "TLS" }, "sslPolicy allows less than TLS 1.2"],
            [{ protocol: "HTTPS", sslPolicy: "ELBSecurityPolicy-TLS13-1-0-2021-06" }, "sslPolicy allows less than TLS 1.2"],
        ],
    ),
    oneResource("CKV_AWS_150", balancer, [{ enableDeletionProtection: true }], [[{}, "enableDeletionProtection is not on"]]),
    oneResource(
        "CKV_AWS_152",
        balancer,
        [{ enableCrossZoneLoadBalancing: true }, { loadBalancerType: "application" }],
        [[{ loadBalancerType: "network" }, "enableCrossZoneLoadBalancing is not on"]],
    ),
    oneResource("CKV_AWS_91", balancer, [{ accessLogs: { enabled: true } }], [[{}, "accessLogs.enabled is not on"]]),
    oneResource(
        "GCP-0039",
        "gcp:compute/sSLPolicy:SSLPolicy",
        [{ minTlsVersion: "TLS_1_2", profile: "MODERN" }],
        [
            [
                { minTlsVersion: "TLS_1_0", profile: "MODERN" },
                "minTlsVersion is not TLS_1_2 or newer with a profile stricter than COMPATIBLE",
            ],
        ],
    ),
    oneResource(
        "LINKSPAN-0018",
        balancer,
        [{ loadBalancerType: "network", securityGroups: ["sg"] }, { loadBalancerType: "application" }],
        [[{ loadBalancerType: "network" }, "securityGroups is not set"]],
    ),
    oneResource(
        "LINKSPAN-0019",
        "aws:lb/targetGroup:TargetGroup",
        [{ targetType: "instance" }, { targetType: "ip", preserveClientIp: "true" }],
        [
            [{ targetType: "instance", preserveClientIp: "false" }, "preserveClientIp is off, or the proxy protocol is on"],
            [{ targetType: "ip" }, "preserveClientIp is off, or the proxy protocol is on"],
            [{ targetType: "instance", proxyProtocolV2: true }, "preserveClientIp is off, or the proxy protocol is on"],
        ],
    ),
    oneResource(
        "LINKSPAN-0020",
        "azure-native:network:LoadBalancer",
        [{ loadBalancingRules: [{ frontendPort: 8883, disableOutboundSnat: true }] }],
        [
            [
                { loadBalancingRules: [{ frontendPort: 8883, disableOutboundSnat: true }, { frontendPort: 8884 }] },
                "disableOutboundSnat of the rule for port 8884 is not on",
            ],
        ],
    ),
];

const identities: readonly RuleCase[] = [
    oneResource(
        "AWS-0057",
        policy,
        [allow("ssm:GetParameter", "arn:x"), allow(["ec2:Describe*"], "*"), allow("s3:*", "arn:x"), {}],
        [
            [allow("*", "arn:x"), "* on arn:x is allowed"],
            [allow(["logs:*"], "*"), "logs:* on * is allowed"],
        ],
    ),
    oneResource(
        "AWS-0342",
        policy,
        [allow("iam:GetRole", "*")],
        [
            [allow("iam:PassRole", "arn:x"), "iam:PassRole on arn:x is allowed"],
            [allow(["iam:*"], "arn:x"), "iam:* on arn:x is allowed"],
            [{ policy: { Statement: [{ Effect: "Allow", Action: "iam:Pass*", Resource: "r" }] } }, "iam:Pass* on r is allowed"],
        ],
    ),
    oneResource(
        "AWS-0345",
        policy,
        [allow("s3:GetObject", "arn:x"), { policy: "no JSON" }],
        [[allow("s3:*", "arn:x"), "s3:* on arn:x is allowed"]],
    ),
    oneResource(
        "CKV_AWS_60",
        role,
        [assume({ Service: "ec2.amazonaws.com" }), assume("*", { Condition: { StringEquals: {} } }), {}],
        [
            [assume("*"), "assumeRolePolicy lets everybody take it on"],
            [assume({ AWS: ["*"] }), "assumeRolePolicy lets everybody take it on"],
        ],
    ),
    {
        rule: "CKV_AWS_274",
        good: [
            [
                resource("aws:iam/rolePolicyAttachment:RolePolicyAttachment", {
                    policyArn: "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore",
                }),
            ],
        ],
        bad: [
            [
                [
                    resource("aws:iam/rolePolicyAttachment:RolePolicyAttachment", {
                        policyArn: "arn:aws:iam::aws:policy/AdministratorAccess",
                    }),
                ],
                "arn:aws:iam::aws:policy/AdministratorAccess is attached",
            ],
            [
                [resource(role, { managedPolicyArns: ["arn:aws:iam::aws:policy/IAMFullAccess"] })],
                "arn:aws:iam::aws:policy/IAMFullAccess is attached",
            ],
        ],
    },
    {
        rule: "GCP-0007",
        good: [
            [resource(secretGrant, { role: "roles/secretmanager.secretAccessor", member: account })],
            [resource(projectGrant, { role: "roles/owner", member: "group:admins@example.com" })],
        ],
        bad: [
            [[resource(projectGrant, { role: "roles/editor", member: account })], "roles/editor is given to a service account"],
            [
                [resource("gcp:projects/iAMBinding:IAMBinding", { role: "roles/secretmanager.admin", members: [account] })],
                "roles/secretmanager.admin is given to a service account",
            ],
        ],
    },
    oneResource(
        "GCP-0006",
        projectGrant,
        [{ role: "roles/x", member: account }],
        [
            [
                { role: "roles/x", member: "serviceAccount:1-compute@developer.gserviceaccount.com" },
                "a default service account is given a role",
            ],
            [
                { role: "roles/x", member: "serviceAccount:p@appspot.gserviceaccount.com" },
                "a default service account is given a role",
            ],
        ],
    ),
    oneResource(
        "GCP-0011",
        projectGrant,
        [{ role: "roles/logging.logWriter", member: account }],
        [
            [
                { role: "roles/iam.serviceAccountUser", member: account },
                "roles/iam.serviceAccountUser is given for the whole project",
            ],
        ],
    ),
    oneResource(
        "GCP-0003",
        secretGrant,
        [{ role: "roles/x", member: account }],
        [[{ role: "roles/x", member: "user:me@example.com" }, "roles/x is given to a person"]],
    ),
    oneResource(
        "LINKSPAN-0005",
        "azure-native:authorization:RoleAssignment",
        [{ roleDefinitionId: secretsUser }],
        [[{ roleDefinitionId: owner }, "roleDefinitionId is a role that administers"]],
    ),
    oneResource(
        "LINKSPAN-0021",
        policy,
        [allow("ssm:GetParameter", "arn:aws:ssm:r:1:parameter/linkspan/a/*"), allow("ec2:Describe*", "*")],
        [
            [allow("ssm:GetParameters", "*"), "ssm:GetParameters on * is allowed"],
            [
                allow("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:r:1:secret:*"),
                "secretsmanager:GetSecretValue on arn:aws:secretsmanager:r:1:secret:* is allowed",
            ],
        ],
    ),
    oneResource(
        "LINKSPAN-0022",
        projectGrant,
        [{ role: "roles/logging.logWriter", member: account }],
        [
            [
                { role: "roles/secretmanager.secretAccessor", member: account },
                "roles/secretmanager.secretAccessor is given for the whole project",
            ],
        ],
    ),
];

const logs: readonly RuleCase[] = [
    {
        rule: "AWS-0178",
        good: [[log("aws:ec2/flowLog:FlowLog", "vpcId"), resource("aws:ec2/vpc:Vpc", {}, { name: "network" })]],
        bad: [
            [
                [log("aws:ec2/flowLog:FlowLog", "subnetId"), resource("aws:ec2/vpc:Vpc", {}, { name: "network" })],
                "it has no flow log",
            ],
        ],
    },
    oneResource("AWS-0017", "aws:cloudwatch/logGroup:LogGroup", [{ kmsKeyId: "k" }], [[{}, "kmsKeyId is not set"]]),
    oneResource(
        "CKV_AWS_66",
        "aws:cloudwatch/logGroup:LogGroup",
        [{ retentionInDays: 30 }],
        [[{}, "retentionInDays is not set"]],
    ),
    oneResource(
        "CKV_AWS_338",
        "aws:cloudwatch/logGroup:LogGroup",
        [{ retentionInDays: 365 }, { retentionInDays: 0 }],
        [[{ retentionInDays: 30 }, "retentionInDays is less than 365"]],
    ),
    oneResource(
        "GCP-0029",
        "gcp:compute/subnetwork:Subnetwork",
        [{ logConfig: {} }, { purpose: "REGIONAL_MANAGED_PROXY" }],
        [[{}, "logConfig is not set"]],
    ),
    {
        rule: "AZU-0073",
        good: [
            [
                log("azure-native:network:FlowLog", "targetResourceId", { enabled: true }),
                resource("azure-native:network:VirtualNetwork", {}, { name: "network" }),
            ],
        ],
        bad: [
            [
                [
                    log("azure-native:network:FlowLog", "targetResourceId", { enabled: false }),
                    resource("azure-native:network:VirtualNetwork", {}, { name: "network" }),
                ],
                "it has no flow log that is on",
            ],
        ],
    },
    oneResource(
        "AZU-0049",
        "azure-native:network:FlowLog",
        [{ retentionPolicy: { enabled: true, days: 90 } }],
        [
            [{}, "retentionPolicy is not 90 days or more"],
            [{ retentionPolicy: { enabled: true, days: 30 } }, "retentionPolicy is not 90 days or more"],
        ],
    ),
];

const links: readonly RuleCase[] = [
    {
        rule: "LINKSPAN-0008",
        good: [
            [
                resource(nat, {}, { name: "nat", parent: "site" }),
                resource(instance, {}, { name: "machine", parent: "site", dependencies: ["nat"] }),
            ],
            [resource(nat, {}, { name: "nat", parent: "another" }), resource(instance, {}, { name: "machine", parent: "site" })],
            [
                resource(nat, {}, { name: "nat", parent: "site" }),
                resource(instance, {}, { name: "machine", parent: "site", dependencies: ["nat"] }),
                resource(link, {}, { name: "link", dependencies: ["machine"] }),
            ],
        ],
        bad: [
            [
                [resource(nat, {}, { name: "nat", parent: "site" }), resource(instance, {}, { name: "machine", parent: "site" })],
                "it does not wait for nat",
            ],
            [
                [
                    resource(nat, {}, { name: "one", parent: "site" }),
                    resource(nat, {}, { name: "two", parent: "site" }),
                    resource(instance, {}, { name: "machine", parent: "site", dependencies: ["one"] }),
                    resource(link, {}, { name: "link", dependencies: ["machine"] }),
                ],
                "it does not wait for two",
            ],
        ],
    },
    {
        rule: "LINKSPAN-0009",
        good: [
            [resource(nat, { allocationId: "eip" })],
            [resource(nat, { connectivityType: "private" })],
            [resource(nat, { availabilityMode: "regional", availabilityZoneAddresses: [{}] })],
            [resource("gcp:compute/routerNat:RouterNat", { natIpAllocateOption: "MANUAL_ONLY", natIps: ["a"] })],
            [resource("azure-native:network:NatGateway", { publicIpAddresses: [{ id: "p" }] })],
        ],
        bad: [
            [[resource(nat, { availabilityMode: "regional" })], "its addresses are the cloud's to choose and to change"],
            [
                [resource("gcp:compute/routerNat:RouterNat", { natIpAllocateOption: "AUTO_ONLY" })],
                "its addresses are the cloud's to choose and to change",
            ],
            [[resource("azure-native:network:NatGateway")], "its addresses are the cloud's to choose and to change"],
        ],
    },
    oneResource(
        "LINKSPAN-0010",
        link,
        [{ tls: { enable: true } }, { tls: { enable: true, verify: "verify_peer" } }],
        [
            [{}, "tls.enable is not on: the link's user and everything it carries could be read on the way"],
            [
                { tls: { enable: true, verify: "verify_none" } },
                "tls.verify is verify_none: anybody could answer in the peer's place",
            ],
        ],
    ),
    {
        rule: "LINKSPAN-0011",
        good: [
            [
                resource(
                    "aws:ec2/vpnConnection:VpnConnection",
                    { tunnel1PresharedKey: strongKey, tunnel2PresharedKey: strongKey },
                    { secrets: ["tunnel1PresharedKey", "tunnel2PresharedKey"] },
                ),
            ],
            [resource("gcp:compute/vPNTunnel:VPNTunnel", { sharedSecret: strongKey })],
        ],
        bad: [
            [
                [resource("aws:ec2/vpnConnection:VpnConnection", { tunnel1PresharedKey: strongKey })],
                "tunnel2PresharedKey is not set",
            ],
            [
                [resource("gcp:compute/vPNTunnel:VPNTunnel", { sharedSecret: "short" })],
                "sharedSecret is shorter than 24 characters, or begins with 0",
            ],
            [
                [resource("azure-native:network:VirtualNetworkGatewayConnection", { sharedKey: strongKey }, { secrets: [] })],
                "sharedKey is no secret",
            ],
        ],
    },
];

export const otherCases: readonly RuleCase[] = [...balancers, ...identities, ...logs, ...links];
