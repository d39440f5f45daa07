/**
 * A public key that nobody has the private key of: its 32 bytes are the SHA-256 of the text
 * `linkspan: a public key without a private key 0`, the first of that kind that is a point of the curve. A test computes it again.
 */
export const keyWithoutOwner = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEHFKlar3WxCklBCLTSImtRp5/9UgeocPNa66aFTXXcR";

const adminUsername = "linkspan";

/**
 * The part of a machine's profile that says who may log in. Azure makes no Linux machine without a password or a key, so it gets a key that
 * opens nothing. Extensions are refused as well: with them, whoever may change the machine could run commands on it.
 */
export const noLogin = {
    adminUsername,
    allowExtensionOperations: false,
    linuxConfiguration: {
        disablePasswordAuthentication: true,
        provisionVMAgent: true,
        ssh: { publicKeys: [{ path: `/home/${adminUsername}/.ssh/authorized_keys`, keyData: keyWithoutOwner }] },
    },
};
