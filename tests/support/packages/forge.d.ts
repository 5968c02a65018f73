/** Types of what is used of node-forge: the package comes without any. */

export interface PrivateKey {
  readonly n: unknown;
  readonly e: unknown;
}

export interface PublicKey {
  readonly kind?: "public";
}

export interface Attribute {
  name: string;
  value: string;
}

export interface Certificate {
  publicKey: PublicKey;
  serialNumber: string;
  readonly validity: { notBefore: Date; notAfter: Date };
  setSubject(attributes: Attribute[]): void;
  setIssuer(attributes: Attribute[]): void;
  setExtensions(extensions: Record<string, unknown>[]): void;
  sign(key: PrivateKey, digest: unknown): void;
}

declare const forge: {
  md: { sha256: { create(): unknown } };
  pki: {
    createCertificate(): Certificate;
    certificateToPem(certificate: Certificate): string;
    privateKeyFromPem(pem: string): PrivateKey;
    setRsaPublicKey(n: unknown, e: unknown): PublicKey;
  };
};
export default forge;
