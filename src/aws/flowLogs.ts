import * as cloudwatch from "@pulumi/aws/cloudwatch/index.js";
import * as ec2 from "@pulumi/aws/ec2/index.js";
import * as iam from "@pulumi/aws/iam/index.js";
import * as pulumi from "@pulumi/pulumi";
import { type AwsScope, boundary, place } from "./scope.js";

/** Days that flow logs are kept. */
const keptDays = 365;

/** Records every connection that a VPC's interfaces took or refused. */
export function createFlowLogs(scope: AwsScope, vpcId: pulumi.Output<string>): void {
    const { parent, region, plan } = scope;
    const groupPlace = place(scope, "flow-logs");
    const group = new cloudwatch.LogGroup(
        groupPlace.name,
        { region, retentionInDays: keptDays, tags: groupPlace.tags },
        { parent },
    );
    // The account stands in every ARN: arn:aws:logs:<region>:<account>:log-group:<name>.
    const account = pulumi.interpolate`${group.arn}`.apply((arn) => arn.split(":")[4] ?? "");
    const rolePlace = place(scope, "flow-logs-role");
    const role = new iam.Role(
        rolePlace.name,
        {
            description: `Writes the flow logs of ${plan.clusterName}`,
            assumeRolePolicy: pulumi.jsonStringify({
                Version: "2012-10-17",
                Statement: [
                    {
                        Effect: "Allow",
                        Principal: { Service: "vpc-flow-logs.amazonaws.com" },
                        Action: "sts:AssumeRole",
                        // Nobody else's flow logs may be written as this site.
                        Condition: { StringEquals: { "aws:SourceAccount": account } },
                    },
                ],
            }),
            ...boundary(scope),
            tags: rolePlace.tags,
        },
        { parent },
    );
    const policy = new iam.RolePolicy(
        `${plan.name}-flow-logs-policy`,
        {
            role: role.name,
            policy: pulumi.jsonStringify({
                Version: "2012-10-17",
                Statement: [
                    {
                        Effect: "Allow",
                        Action: [
                            "logs:CreateLogStream",
                            "logs:PutLogEvents",
                            "logs:DescribeLogGroups",
                            "logs:DescribeLogStreams",
                        ],
                        Resource: pulumi.interpolate`${group.arn}:*`,
                    },
                ],
            }),
        },
        { parent },
    );
    const logPlace = place(scope, "flow-log");
    new ec2.FlowLog(
        logPlace.name,
        {
            region,
            vpcId,
            trafficType: "ALL",
            logDestinationType: "cloud-watch-logs",
            logDestination: group.arn,
            iamRoleArn: role.arn,
            tags: logPlace.tags,
        },
        { parent, dependsOn: [policy] },
    );
}
