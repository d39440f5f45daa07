import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Account } from "./account.mts";
import { Faults } from "./faults.mts";
import { Operations } from "./operations.mts";
import type { Cloud, Props } from "./types.mts";

/** One simulated cloud without an engine: its operations called directly, for tests of a cloud's rules. */
export class DirectCloud {
    readonly folder = mkdtempSync(join(tmpdir(), "cloudsim-direct-"));
    readonly faults = new Faults();
    readonly account: Account;
    readonly operations: Operations;
    readonly #cloud: Cloud;
    readonly #config: Props;

    /** @param pace multiplies durations; with 0 nothing takes time and nothing is waited for */
    constructor(cloud: Cloud, config: Props = {}, pace = 0) {
        this.#cloud = cloud;
        this.#config = config;
        this.account = new Account(join(this.folder, "account.json"), [cloud]);
        this.operations = new Operations(cloud, { account: this.account, faults: this.faults, pace: { factor: pace } });
    }

    get view() {
        return this.account.view(this.#cloud.name);
    }

    subject(type: string, name = "it") {
        return { type, name, config: this.#config };
    }

    /** Checks and creates; returns the id with all properties. Throws what the provider would say. */
    async create(type: string, inputs: Props, name = "it"): Promise<Props & { readonly id: string }> {
        const checked = this.operations.check(this.subject(type, name), {}, inputs);
        if (checked.failures.length > 0) {
            throw new Error(checked.failures.map(({ reason }) => reason).join("; "));
        }
        const { id, properties } = await this.operations.create(this.subject(type, name), checked.inputs);
        return { ...properties, id };
    }

    async update(type: string, id: string, inputs: Props, name = "it"): Promise<Props> {
        const old = this.account.known(this.#cloud.name, type, id);
        const checked = this.operations.check(this.subject(type, name), old?.inputs ?? {}, inputs);
        return this.operations.update(this.subject(type, name), id, checked.inputs);
    }

    remove(type: string, id: string, name = "it"): Promise<void> {
        return this.operations.remove(this.subject(type, name), id);
    }

    /** Which inputs would make a change of these a replacement. */
    replaces(type: string, olds: Props, news: Props): readonly string[] {
        const inputs = (props: Props) => this.operations.check(this.subject(type), olds, props).inputs;
        return this.operations.diff(this.subject(type), inputs(olds), inputs(news)).replaces;
    }

    dispose(): void {
        this.account.save();
        rmSync(this.folder, { recursive: true, force: true });
    }
}
