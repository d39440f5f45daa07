import { isOn, isSet, numberAt, textAt } from "./properties.js";
import type { Rule } from "./rule.js";

const logGroup = "aws:cloudwatch/logGroup:LogGroup";
const subnet = "gcp:compute/subnetwork:Subnetwork";
const azureNetwork = "azure-native:network:VirtualNetwork";
const azureFlowLog = "azure-native:network:FlowLog";
const year = 365;

const when = (fault: boolean, text: string): readonly string[] => (fault ? [text] : []);

/** What logs must hold. */
export const logRules: readonly Rule[] = [
    {
        id: "AWS-0178",
        alsoKnownAs: ["CKV2_AWS_11"],
        area: "logs",
        title: "Every VPC has a flow log.",
        severity: "MEDIUM",
        types: ["aws:ec2/vpc:Vpc"],
        needs: "stack",
        check: (vpc, graph) =>
            when(!graph.ofTypes("aws:ec2/flowLog:FlowLog").some((log) => graph.refers(log, "vpcId", vpc)), "it has no flow log"),
    },
    {
        id: "AWS-0017",
        alsoKnownAs: ["CKV_AWS_158"],
        area: "logs",
        title: "Groups of logs are encrypted with a key of your own.",
        severity: "LOW",
        types: [logGroup],
        needs: "resource",
        check: ({ props }) => when(!isSet(props, "kmsKeyId"), "kmsKeyId is not set"),
    },
    {
        id: "CKV_AWS_66",
        alsoKnownAs: [],
        area: "logs",
        title: "Groups of logs say how long they are kept.",
        severity: "MEDIUM",
        types: [logGroup],
        needs: "resource",
        check: ({ props }) => when(!isSet(props, "retentionInDays"), "retentionInDays is not set"),
    },
    {
        id: "CKV_AWS_338",
        alsoKnownAs: [],
        area: "logs",
        title: "Groups of logs are kept for a year.",
        severity: "LOW",
        types: [logGroup],
        needs: "resource",
        check: ({ props }) => {
            const days = numberAt(props, "retentionInDays");
            return when(days !== undefined && days !== 0 && days < year, "retentionInDays is less than 365");
        },
    },
    {
        id: "GCP-0029",
        alsoKnownAs: ["CKV_GCP_26", "GCP-0076"],
        area: "logs",
        title: "Every subnet has a flow log.",
        severity: "MEDIUM",
        types: [subnet],
        needs: "resource",
        // Google keeps no flow log of subnets that belong to its own load balancers.
        check: ({ props }) => when(!isSet(props, "logConfig") && !/PROXY/.test(textAt(props, "purpose")), "logConfig is not set"),
    },
    {
        id: "AZU-0073",
        alsoKnownAs: [],
        area: "logs",
        title: "Every virtual network has a flow log.",
        severity: "MEDIUM",
        types: [azureNetwork],
        needs: "stack",
        check: (network, graph) =>
            when(
                !graph
                    .ofTypes(azureFlowLog)
                    .some((log) => graph.refers(log, "targetResourceId", network) && isOn(log.props, "enabled")),
                "it has no flow log that is on",
            ),
    },
    {
        id: "AZU-0049",
        alsoKnownAs: ["CKV_AZURE_12"],
        area: "logs",
        title: "Flow logs are kept for 90 days.",
        severity: "LOW",
        types: [azureFlowLog],
        needs: "resource",
        check: ({ props }) => {
            const days = numberAt(props, "retentionPolicy.days") ?? 0;
            return when(
                !isOn(props, "retentionPolicy.enabled") || (days !== 0 && days < 90),
                "retentionPolicy is not 90 days or more",
            );
        },
    },
];
