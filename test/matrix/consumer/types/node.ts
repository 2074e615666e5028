// What the library allocates, handed to Node's interfaces, and what Node hands to it.

import { Blob } from "node:buffer";
import { createHash, webcrypto } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { BatchNorm, MinMaxScaler, StandardScaler } from "simdnorm";

const bytes = readFileSync("values.f32");
const x = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
const y = new BatchNorm(2).infer(x);
new BatchNorm(2).infer(x, { out: x });
const z = new StandardScaler(2).fitTransform(new Float64Array(new Uint8Array(bytes).buffer));

writeFileSync("result.f32", y);
createHash("sha256").update(y);
webcrypto.subtle.digest("SHA-256", y);
new Blob([y, z]);
new Response(y);
parentPort?.postMessage(y, [y.buffer]);
parentPort?.on("message", (json) => parentPort?.postMessage(MinMaxScaler.fromJSON(json).toJSON()));
Buffer.from(y.buffer);
