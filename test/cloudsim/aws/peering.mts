import { overlap } from "../addresses.mts";
import { textAt } from "../paths.mts";
import { CloudError, type ResourceType } from "../types.mts";
import { accountId, freshId, refuse, regional } from "./naming.mts";
import { types } from "./tokens.mts";

const peering: ResourceType = {
    required: ["vpcId", "peerVpcId"],
    defaults: (scope) => ({ ...regional(scope), peerOwnerId: accountId }),
    references: [
        { path: "vpcId", to: types.vpc },
        { path: "peerVpcId", to: types.vpc },
    ],
    replaceOn: ["vpcId", "peerVpcId", "peerOwnerId", "peerRegion", "region"],
    unique: ({ inputs }) => [
        ["vpcId", "peerVpcId"]
            .map((key) => textAt(inputs, key))
            .sort()
            .join(" "),
    ],
    duplicate: () => new CloudError("VpcPeeringConnectionAlreadyExists", "A VPC peering connection of these VPCs already exists"),
    verify: ({ inputs, account }) => {
        const [own, other] = [account.find(types.vpc, inputs.vpcId), account.find(types.vpc, inputs.peerVpcId)];
        refuse(
            overlap(own?.inputs.cidrBlock, other?.inputs.cidrBlock),
            "InvalidParameterValue",
            "The VPC peering connection failed: the VPCs' CIDR blocks overlap",
        );
        refuse(
            textAt(other?.inputs, "region") !== (textAt(inputs, "peerRegion") || textAt(inputs, "region")),
            "InvalidVpcID.NotFound",
            `The vpc ID '${textAt(inputs, "peerVpcId")}' does not exist in the region`,
        );
        refuse(
            inputs.autoAccept === true && inputs.peerRegion !== undefined,
            "InvalidParameterCombination",
            "`peer_region` cannot be set whilst `auto_accept` is `true`",
        );
    },
    id: ({ account }) => freshId(account, "pcx"),
    outputs: () => ({ acceptStatus: "pending-acceptance" }),
    timing: { create: 30, remove: 20 },
};

const accepter: ResourceType = {
    required: ["vpcPeeringConnectionId"],
    defaults: regional,
    references: [{ path: "vpcPeeringConnectionId", to: types.peering, holds: false }],
    replaceOn: ["vpcPeeringConnectionId", "region"],
    verify: ({ inputs, account }) => {
        const asked = account.find(types.peering, inputs.vpcPeeringConnectionId);
        refuse(
            textAt(account.find(types.vpc, asked?.inputs.peerVpcId)?.inputs, "region") !== textAt(inputs, "region"),
            "OperationNotPermitted",
            `Incorrect region (${textAt(inputs, "region")}) specified for this request.`,
        );
    },
    id: ({ inputs }) => textAt(inputs, "vpcPeeringConnectionId"),
    outputs: ({ inputs }) => ({ acceptStatus: inputs.autoAccept === true ? "active" : "pending-acceptance" }),
    timing: { create: 30, remove: 5 },
};

export const peeringTypes: Readonly<Record<string, ResourceType>> = {
    [types.peering]: peering,
    [types.accepter]: accepter,
};
