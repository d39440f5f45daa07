/** Values of a resource as Pulumi's protocol carries them: plain JSON. */
export type Props = Record<string, unknown>;

/** Plugin names, as in `pulumi-resource-<cloud>`. */
export type CloudName = "aws" | "gcp" | "azure-native";

/** One object of a simulated account. Plain data: it is what the account's file holds. */
export interface CloudObject {
    readonly cloud: CloudName;
    /** Pulumi's type token, such as `aws:ec2/vpc:Vpc`. */
    readonly type: string;
    /** The resource's id as Pulumi keeps it. */
    readonly id: string;
    /** Logical name of the resource that made it; for messages and fault rules only. */
    readonly name: string;
    /** As the user gave them, with the provider's defaults. */
    inputs: Props;
    /** What the cloud made up: addresses, ARNs, states. */
    outputs: Props;
    /** Grows by one for every object of the account: another object with the same id has another number. */
    readonly serial: number;
    /** Grows by one with every update. */
    revision: number;
    /** Milliseconds since the epoch from which other objects may refer to it: clouds are eventually consistent. */
    readonly usableAt: number;
    /** Set where the cloud made it by itself together with another object, whose serial this is; it goes with that one. */
    readonly partOf?: number;
}

/** A cloud's refusal, in the cloud's own words. */
export class CloudError extends Error {
    /** The cloud's code, such as `InvalidVpcID.NotFound`. */
    readonly code: string;

    constructor(code: string, message: string) {
        super(message);
        this.name = "CloudError";
        this.code = code;
    }
}

/** What a type's functions may see of the account. All of it is one consistent state: nothing changes while a function runs. */
export interface AccountView {
    /** Objects of one type, oldest first; every object of the cloud without a type. */
    list(type?: string): readonly CloudObject[];
    /** The object of a type that a handle (id, self link, name: see {@link ResourceType.handles}) means. */
    find(type: string | readonly string[], handle: unknown): CloudObject | undefined;
    /** A switchable figure of the account, such as a quota. */
    setting(name: string, otherwise: number): number;
    /** The next number of a sequence that never repeats: for ids and addresses. */
    next(sequence: string): number;
}

/** One operation on one resource. */
export interface Scope {
    readonly account: AccountView;
    /** The provider's own configuration, such as `region`. */
    readonly config: Props;
    /** Logical name of the resource. */
    readonly name: string;
    readonly inputs: Props;
    /** What there is before an update or delete. */
    readonly object?: CloudObject | undefined;
}

/** An input that names another object. */
export interface Reference {
    /** Where the name is, such as `vpcId`, `subnetMappings[].allocationId` or `properties.subnet.id`. */
    readonly path: string;
    /** Types that it may name. */
    readonly to: string | readonly string[];
    /** Whether the other object cannot be deleted while this one names it. @default true */
    readonly holds?: boolean;
    /** Whether the real provider tries again while the other object is not usable yet. @default true */
    readonly patient?: boolean;
    /** Values that are no objects of this account, such as policies that the vendor owns. */
    readonly foreign?: (value: string) => boolean;
    /** The cloud's refusal where the object is missing; without it the cloud's general one. */
    readonly missing?: (value: string) => CloudError;
}

/** How the provider names an object for which no name is given. */
export interface AutoName {
    /** @default "name" */
    readonly property?: string;
    /** Longest name with the seven random digits and the separator. A longer one fails, as it does with the real provider. */
    readonly max: number;
    /** @default "-" */
    readonly separator?: string;
    /** @default the name as it is */
    readonly shape?: (name: string) => string;
}

/** Milliseconds that operations take; the cloud's `pace` multiplies them. */
export interface Timing {
    /** @default 0 */
    readonly create?: number;
    /** @default 0 */
    readonly update?: number;
    /** @default 0 */
    readonly remove?: number;
    /** How long after its creation an object cannot be referred to. @default 0 */
    readonly usableAfter?: number;
}

/** What a cloud enforces for one type of resource. */
export interface ResourceType {
    /** Inputs without which the provider refuses, at preview too. */
    readonly required?: readonly string[];
    readonly autoName?: AutoName;
    /** Inputs that the provider fills in where they are not given. */
    readonly defaults?: (scope: Scope) => Props;
    readonly references?: readonly Reference[];
    /** Texts of which no two objects of the type may have the same; `undefined`: no such claim. */
    readonly unique?: (scope: Scope) => readonly (string | undefined)[];
    /** The cloud's refusal of a text that is taken. */
    readonly duplicate?: (text: string) => CloudError;
    /** Inputs (top level or paths such as `rootBlockDevice.encrypted`) whose change replaces the resource. */
    readonly replaceOn?: readonly string[] | "all" | ((olds: Props, news: Props) => readonly string[]);
    /** Set where the provider itself asks to delete before it creates. */
    readonly deleteBeforeReplace?: boolean;
    /** Whatever else the cloud checks before it creates or updates. Throws {@link CloudError}. */
    readonly verify?: (scope: Scope) => void;
    readonly id: (scope: Scope) => string;
    /** What the cloud adds to the inputs. Called after creation and after each update; `object` is the old one at an update. */
    readonly outputs?: (scope: Scope & { readonly id: string }) => Props;
    /** Outputs that an update changes, so that a preview of it does not know them. */
    readonly volatile?: (scope: Scope) => readonly string[];
    /** Texts by which other objects refer to it. @default its id */
    readonly handles?: (object: Pick<CloudObject, "id" | "inputs" | "outputs">) => readonly (string | undefined)[];
    /** Objects that the cloud makes together with it, such as a network's default security group. */
    readonly parts?: (
        object: CloudObject,
        scope: Scope,
    ) => readonly { type: string; id: string; inputs: Props; outputs: Props }[];
    /** Reasons beyond references why the object cannot be deleted now. Throws {@link CloudError}. */
    readonly guard?: (object: CloudObject, account: AccountView) => void;
    /** The cloud's refusal to delete it while `by` refers to it. */
    readonly inUse?: (object: CloudObject, by: CloudObject) => CloudError;
    /** Whether the object goes with another one that is deleted, such as what a vault holds, without being deleted itself. */
    readonly goesWith?: (object: CloudObject, other: CloudObject) => boolean;
    /** Set for resources that take over an object that is there (a network's default security group): creation needs it, deletion leaves it. */
    readonly adopts?: (scope: Scope) => CloudObject | undefined;
    /** An object with which the cloud answers instead of making another: two resources then have one and the same. */
    readonly existing?: (scope: Scope) => CloudObject | undefined;
    readonly timing?: Timing;
    /** Operations that share a key do not run at the same time: the provider queues them, or the cloud refuses the second. */
    readonly lock?: (
        scope: Scope,
    ) => { readonly key: string | readonly string[]; readonly busy: "queue" | CloudError } | undefined;
}

/** A function of the SDK, such as `aws:ec2/getAmi:getAmi`. */
export type CloudFunction = (args: Props, scope: Pick<Scope, "account" | "config">) => Props;

/** A machine that an account's objects describe. */
export interface Machine {
    /** Differs for every machine that ever was, and after a restart. */
    readonly key: string;
    /** The instance's id; for messages. */
    readonly id: string;
    /** Its private address. */
    readonly address: string;
    /** What cloud-init is given, as text. */
    readonly userData: string;
    /** Why it does not boot (yet), such as a missing route; `undefined` when it can. */
    readonly waitsFor?: string | undefined;
    /** Why it does not run, even if it did before: stopped, or its disk was taken away. */
    readonly halted?: string | undefined;
    /** Identity of its data disk: what is stored lives as long as that. */
    readonly disk: string;
    /** Public addresses that it comes from when it connects to others. */
    readonly egress: readonly string[];
    /** Names that it resolves by private zones: name to address or other name. */
    readonly names: ReadonlyMap<string, string>;
    /** Why a connection to a public address does not leave its network; `undefined`: it does. */
    readonly blocked: (address: string, port: number) => string | undefined;
    /**
     * Answers a request that the machine sends to its metadata service or to its cloud's own API, with the machine's identity.
     * A refusal is an answer with a status; `undefined`: no such server.
     */
    readonly ask: (request: MachineRequest) => MachineAnswer | undefined;
    /**
     * The value of a boot item, by the machine's identity; `undefined`: there is none, or it may not read it. The short way for runs with
     * many machines, in which the boot data's own script would cost too much.
     */
    readonly item: (settings: Readonly<Record<string, string>>, name: string) => string | undefined;
    /** Whether a TCP connection to another machine of the same network, by its private address, arrives. */
    readonly meets: (address: string, port: number) => boolean;
}

export interface MachineRequest {
    readonly method: string;
    readonly url: URL;
    /** Names in lower case. */
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
}

export interface MachineAnswer {
    readonly status: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body: string;
}

/** What becomes of a connection from the internet. */
export type Route =
    /** Balanced over these machines' port. */
    | { readonly machines: readonly string[]; readonly port: number }
    /** No answer at all: a filter dropped it. */
    | { readonly dropped: string }
    /** Answered, but nobody takes it. */
    | { readonly refused: string };

/** One end of an IPsec tunnel with BGP in it, as an account's objects or a device's configuration have it. */
export interface HalfTunnel {
    /** For messages, such as `vpn-0ab tunnel 1`. */
    readonly name: string;
    /** Id of the network that it leads into. */
    readonly network: string;
    /** Set where several halves are one object, of which one half is enough. */
    readonly group?: string | undefined;
    /** Public addresses of both gateways. */
    readonly outside: string;
    readonly peerOutside: string;
    /** Addresses inside the tunnel, and the range that they are of. */
    readonly inside: string;
    readonly peerInside: string;
    readonly range: string;
    readonly key: string;
    /** Proposals in strongSwan's words; everything that is offered. */
    readonly ike: string;
    readonly esp: string;
    readonly ikeVersion: number;
    readonly asn: number;
    readonly peerAsn: number;
    /** Ranges that it tells its peer of. */
    readonly tells: readonly string[];
    /** Ranges of which it takes routes. @default everything */
    readonly takes?: readonly string[] | undefined;
    /** Why it cannot be up whatever its peer is like. */
    readonly lacks?: string | undefined;
}

/** One side of a cloud's own joining of two networks. */
export interface Peering {
    readonly name: string;
    /** Ids of the two networks. */
    readonly network: string;
    readonly to: string;
    /** Why it is not active by itself. */
    readonly lacks?: string | undefined;
}

/** Where a network's packets to an address may go. */
export interface WaysOut {
    readonly halves: readonly HalfTunnel[];
    readonly peerings: readonly Peering[];
    /** Why there is none. */
    readonly none: string;
}

/** A network with private addresses. */
export interface PrivateNetwork {
    /** Unique among all clouds and devices. */
    readonly id: string;
    readonly halves: readonly HalfTunnel[];
    readonly peerings: readonly Peering[];
    /** Whether a machine (its id) is in it. */
    readonly holds: (machine: string) => boolean;
    /** Whether an address is one of its own. */
    readonly owns: (address: string) => boolean;
    /** Where its routes lead packets from one of its addresses to another network's. `learned`: what came by a tunnel that is up. */
    readonly lead: (from: string, to: string, learned: (half: HalfTunnel) => readonly string[]) => WaysOut;
    /** What becomes of a connection that has come over a private path. */
    readonly enter: (
        connection: { readonly source: string; readonly address: string; readonly port: number },
        ready: (key: string) => boolean,
    ) => Route;
}

/** One simulated cloud. */
export interface Cloud {
    readonly name: CloudName;
    /** The provider's version, which plugins report. */
    readonly version: string;
    readonly types: Readonly<Record<string, ResourceType>>;
    readonly functions: Readonly<Record<string, CloudFunction>>;
    /** How the provider words a refusal. */
    readonly say: (error: CloudError, operation: "create" | "read" | "update" | "delete", type: string) => string;
    readonly missing: (type: string, handle: string) => CloudError;
    readonly inUse: (object: CloudObject, by: CloudObject) => CloudError;
    readonly duplicate: (type: string, text: string) => CloudError;
    /** The machines that the account's objects describe. */
    readonly machines: (account: AccountView) => readonly Machine[];
    /** Public addresses of a public name of this cloud; empty: not its name. */
    readonly lookup: (account: AccountView, name: string) => readonly string[];
    /** Where a connection from `source` to a public address leads; `undefined`: the address is not this cloud's. `ready` says of a machine (its key) whether it answers health probes. */
    readonly route: (
        account: AccountView,
        connection: { readonly source: string; readonly address: string; readonly port: number },
        ready: (key: string) => boolean,
    ) => Route | undefined;
    /** Its networks, with what leads to others. @default none: nothing is reached privately */
    readonly networks?: (account: AccountView) => readonly PrivateNetwork[];
}
