import { it } from "vitest";
import { CloudProject } from "./cloudProject.js";
it("tries", async () => {
    const p = await CloudProject.create({
        "Pulumi.yaml": "name: t\nruntime:\n  name: nodejs\n  options:\n    typescript: false\nmain: main.js\n",
        "package.json": '{"name":"t","main":"main.js"}',
        "main.js": `
const { AzureSite } = require("linkspan/azure");
const common = { adminCidrs: ["203.0.113.7/32"], license: "evaluation", reach: { proxy: process.env.CLOUDSIM_PROXY }, broker: { imageRelease: "1", package: { url: "https://mirror.example.com/emqx.deb", sha256: "${"a".repeat(64)}" } } };
const a = new AzureSite("west", { siteNumber: 1, location: "westeurope", ...common });
exports.endpoint = a.endpoint;
`,
    });
    const t = async (what: string, work: () => Promise<unknown>) => { const a = Date.now(); const r: any = await work(); console.log(what, typeof r === "object" ? r.output : r, Date.now() - a); return r; };
    try {
        await t("preview", () => p.pulumi.run("preview"));
        const r = await t("up", () => p.tryUp());
        console.log(p.simulation.log.lines.slice(-60).join("\n"));
        console.log(p.simulation.machines.sights(), p.simulation.machines.processes());
        await t("up", () => p.pulumi.run("up", "--yes", "--skip-preview", "--diff"));
        await t("refresh", () => p.pulumi.run("refresh", "--yes", "--skip-preview", "--diff"));
        await t("destroy", () => p.pulumi.run("destroy", "--yes", "--skip-preview"));
        console.log(r.code, p.counts(), p.simulation.machines.processes());
    } finally { await p.dispose(); }
}, 600000);
