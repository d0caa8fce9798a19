/** Tokens that other programs made, with their keys, and tokens that a test makes. */
import { createHmac } from "node:crypto";

/** The end of those tokens that have one: 2026-11-22T16:53:20Z. */
export const TOKEN_END_S = 1_795_366_400;

/** RFC 7515 appendix A.1: HS256, with a key of bytes in base64url. */
export const RFC_HS256 = {
  key: "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
  token: [
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA",
    "6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
  ].join(""),
};

/** RFC 7515 appendix A.3: ES256. */
export const RFC_ES256 = {
  jwk: {
    kty: "EC",
    crv: "P-256",
    x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
  },
  token: [
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9",
    "pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqP",
    "P3-Kg6NU1Q",
  ].join(""),
};

/** Made by OpenSSL 3: `openssl dgst -sha256 -sign`. Claims: sub alice, exp `TOKEN_END_S`. */
export const OPENSSL_RS256 = {
  pem: `-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA4wq8ZrJoLIIc98pTw7ij
7u5/ZdiLbtW8XLYs32q2GoNFnGHxPRk00To64G7/USYaZcjYQKIlbQjnIUcy9VFe
vULZD/NfK4SxSCA1/6wQz0KwPPCZ3AFdl6gTzTq+dcCE/aMeQwUyc+8QSAI5hK6+
y38hZdFSayJ8gI4eN0XW1S01Oji8avnkKOwUMmp+QGfGeg6grEXxcLUw2UEYSMIB
vscp1ENWDFP406afI8WnF+hW7cluTJrHkceJ7wUQWFskhd37QV7zL9a19N83y2AZ
m45ppjFwPD/bfowiTr16tvl3AGWPP0C6cfOST67JFfwDuV/nRiYoDb8s2LfP46sJ
kQIDAQAB
-----END PUBLIC KEY-----
`,
  token: [
    "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbGljZSIsImV4cCI6MTc5NTM2NjQwMH0.lSOQvO7aF5yUbpT",
    "ZEUbosX3oYug-O01IXj0E1-l84Nyns02ps-yowPXJ1WiYHh4i083lh8aJ9p_LZ2oLVRI1-f1Mi4r0LpJx0aHRJit1ppzZF85",
    "vhG5pvXG3ZbyfYPFrcwt7a3Et1ZZWI-Jy1GVZVDzC3_g7HIFsdZ13UM2L5ech02RM3Zz7LzVl7voXEijEJpWDlnOm2ebzcJI",
    "y15wctfR0dGa-Jhn3kcEJa6bfrsJ04N_QwMU2FwrsX9zOciDqzpgnn-4h0pH9OQDwtu74et46kuOotqr1yN5a98VXfx6NohD",
    "IzUVgsGFqLMh20ZtwmMufGyqck1OfeLq6nkw_-Q",
  ].join(""),
};

/** Made by OpenSSL 3: `openssl pkeyutl -sign -rawin`. Claims as above. */
export const OPENSSL_EDDSA = {
  pem: `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEANCJUmShwV9S7u5LlmTMfTo6uDfzalTKjZiVFLkD5OnU=
-----END PUBLIC KEY-----
`,
  jwk: { kty: "OKP", crv: "Ed25519", x: "NCJUmShwV9S7u5LlmTMfTo6uDfzalTKjZiVFLkD5OnU" },
  token: [
    "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbGljZSIsImV4cCI6MTc5NTM2NjQwMH0.8JPHrCIlk3VO-qj0YkRDfNOqxU72HGu",
    "g_IaH2GbtWgKiCQYCJ241FGTdg3s1BHri2gFtKNRi4xoTxGvCyP2MCQ",
  ].join(""),
};

/**
 * Made by `openssl dgst -sha256 -hmac s3cret` as docs/access.md has it, with the key s3cret and the fields
 * `expires=1795366400&name=live/*&ip=192.0.2.0/24&user=alice&max_sessions=2`.
 */
export const OPENSSL_SIGNED = [
  "v1.ZXhwaXJlcz0xNzk1MzY2NDAwJm5hbWU9bGl2ZS8qJmlwPTE5Mi4wLjIuMC8yNCZ1c2VyPWFsaWNlJm1heF9zZXNzaW9uc",
  "z0y.WnwlAt2eRJqDpLhj_z8qvBsnZOLntKlH8LYYZQTqzmU",
].join("");

/** A token of HS256 with these claims, and with this header in place of the usual one. */
export function makeJwt(
  secret: string,
  claims: object,
  header: object = { alg: "HS256", typ: "JWT" },
): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
}
