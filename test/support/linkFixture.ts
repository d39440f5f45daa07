import { createServer } from "node:net";
import { expect, vi } from "vitest";
import { type Stored, storedForms, unpacked } from "../../src/dynamic/storedForm.js";
import { unknownValue } from "../../src/dynamic/unknown.js";
import type { LinkInputs, LinkOutputs } from "../../src/link/linkInputs.js";
import { clusterLink } from "../../src/provider.js";
import { FakeEmqx } from "./fakeEmqx.js";

/** A password with every character that another form of it would change. */
export const password = "p4ss/wörd+of&link";
/** Path of the fixture's link. */
export const linkPath = "/api/v5/cluster/links/link/fleet-b";

/** One cluster `fleet-a` that gets a link to `fleet-b`, and what the provider said on the way. */
export class LinkFixture {
    readonly fake: FakeEmqx;
    readonly warnings: string[] = [];

    private constructor(fake: FakeEmqx) {
        this.fake = fake;
        vi.spyOn(console, "warn").mockImplementation((text: string) => {
            this.warnings.push(text);
        });
    }

    static async start(): Promise<LinkFixture> {
        return new LinkFixture(await FakeEmqx.start("fleet-a"));
    }

    async stop(): Promise<void> {
        vi.restoreAllMocks();
        await this.fake.stop();
    }

    inputs(more: Partial<LinkInputs> = {}): LinkInputs {
        return {
            api: this.fake.api,
            localCluster: "fleet-a",
            name: "fleet-b",
            server: "b.link.fleet.internal:8884",
            username: "link-fleet-a",
            password,
            topics: ["fleet/#", "alarms"],
            allowLoopback: true,
            timeouts: { requestSeconds: 2, settleSeconds: 2, deleteSeconds: 2 },
            ...more,
        };
    }

    /** No form of a secret may stand in a text. */
    expectNoSecret(text: string): void {
        for (const secret of [password, this.fake.secret]) {
            const bytes = Buffer.from(secret);
            const forms = [
                secret,
                bytes.toString("base64"),
                bytes.toString("base64url"),
                bytes.toString("hex"),
                encodeURIComponent(secret),
            ];
            for (const form of forms) {
                expect(text).not.toContain(form);
            }
        }
    }
}

/** What state holds of a link, one property per argument. */
export function flat<T>(stored: object | undefined): T {
    return unpacked(storedForms.clusterLink, (stored ?? {}) as Stored, unknownValue) as T;
}

export async function create(given: LinkInputs): Promise<LinkOutputs> {
    return flat((await clusterLink.create(given)).outs);
}

export async function update(olds: LinkOutputs, news: LinkInputs): Promise<LinkOutputs> {
    return flat((await clusterLink.update?.("id", olds, news))?.outs);
}

export async function diff(olds: object, news: object) {
    return clusterLink.diff?.("id", olds, news);
}

export async function read(olds: LinkOutputs): Promise<{ id?: string; props?: LinkOutputs; inputs?: LinkInputs }> {
    const { props, inputs, ...found } = ((await clusterLink.read?.("id", olds)) ?? {}) as {
        id?: string;
        props?: object;
        inputs?: object;
    };
    return {
        ...found,
        ...(props === undefined ? {} : { props: flat<LinkOutputs>(props) }),
        ...(inputs === undefined ? {} : { inputs: flat<LinkInputs>(inputs) }),
    };
}

export async function remove(olds: LinkOutputs): Promise<void> {
    await clusterLink.delete?.("id", olds);
}

export async function failureOf(work: Promise<unknown>): Promise<Error> {
    return work.then(
        () => {
            throw new Error("it did not fail");
        },
        (error: Error) => error,
    );
}

/** A port of loopback on which nothing listens. */
export async function freePort(): Promise<number> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    await new Promise((resolve) => server.close(resolve));
    return typeof address === "object" && address !== null ? address.port : 0;
}
