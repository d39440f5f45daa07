import { createHash } from "node:crypto";
import { type BootItemName, bootItemNames } from "../../src/emqx/boot/bootItems.js";
import { type BootInput, renderUserData } from "../../src/emqx/boot/userData.js";
import { BootMachine, folderStore } from "./bootMachine.js";
import { testAuthority } from "./testCertificates.js";

export const packageText = "a package of EMQX";

/** Boot data of a node as a cloud site asks for it. */
export function bootInput(change: Partial<BootInput> = {}): BootInput {
    return {
        clusterName: "fleet-prod-aws",
        nodeName: "emqx@10.1.0.4",
        seeds: ["emqx@10.1.0.4", "emqx@10.1.1.4", "emqx@10.1.2.4"],
        version: "5.10.3",
        sessionQueueMessages: 1_000,
        package: {
            url: "https://www.emqx.com/en/downloads/enterprise/5.10.3/emqx-enterprise-5.10.3-ubuntu24.04-arm64.deb",
            sha256: createHash("sha256").update(packageText).digest("hex"),
        },
        dataDisk: { hints: ["/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0123456789abcdef0", "/dev/sdf"] },
        secretStore: { script: folderStore, settings: {} },
        ...change,
    };
}

/** The items of a site, with certificates that belong together. */
export async function bootItems(): Promise<Readonly<Record<BootItemName, string>>> {
    const authority = await testAuthority();
    const server = await authority.server();
    const link = await authority.link("aws.link.fleet-prod.internal");
    return {
        cookie: "-cookie_of_the_cluster",
        "dashboard-password": "password-of-the-dashboard",
        "api-keys": "linkspan:secret-of-the-api:administrator\n",
        users: "user_id,password,is_superuser\ndevice,password-of-the-device,false\n",
        license: "bGljZW5jZQ==.//MEUCIQ+\n",
        ca: authority.ca,
        "server-cert": server.cert,
        "server-key": server.key,
        "link-cert": link.cert,
        "link-key": link.key,
    };
}

/** A machine to which cloud-init has just given its files, with a blank data disk, the package and the items at hand. */
export function newMachine(items: Readonly<Record<BootItemName, string>>, change: Partial<BootInput> = {}): BootMachine {
    const input = bootInput(change);
    const machine = new BootMachine(renderUserData(input));
    machine.attachDisk("/dev/data");
    machine.link(input.dataDisk.hints[0] ?? "", "/dev/data");
    machine.publish(packageText, "5.10.3");
    machine.store(items);
    return machine;
}

/** Items whose text must not show up anywhere but in their files. */
export const secretItems = bootItemNames.filter((item) => item !== "ca" && !item.endsWith("-cert"));
