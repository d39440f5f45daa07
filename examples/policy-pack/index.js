const { createPolicyPack } = require("linkspan/policy");

// CRITICAL and HIGH stop a deployment, MEDIUM and LOW are said only. Both can be set otherwise, and each rule by itself.
createPolicyPack({
    enforcement: { MEDIUM: "mandatory" },
    rules: { CKV_AZURE_97: "advisory" },
});
