import { createHmac, randomUUID } from "node:crypto";

/** A JWT with rights on meetings, as a back end would give it to a page; made `age` seconds ago, with `left` to live. */
export function mintToken(secret: string, subject: string, { age = 0, left = 600 } = {}): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: "shipspeak",
    aud: "shipspeak-realtime",
    sub: subject,
    jti: randomUUID(),
    iat: now - age,
    exp: now + left,
    grants: { publish: ["meeting/*"], subscribe: ["meeting/*"] },
  };
  const head = encode(JSON.stringify({ alg: "HS256", typ: "JWT" }));
  const signed = `${head}.${encode(JSON.stringify(claims))}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

function encode(text: string): string {
  return Buffer.from(text).toString("base64url");
}
