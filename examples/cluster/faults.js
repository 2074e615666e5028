// node faults.js [redis | postgres]: workers and the store are lost in the middle of their work. Every loss must truly
// have happened, and every result must be that of one process, bit for bit: only then is the status 0.

import assert from "node:assert/strict";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { inTheMiddle, until } from "./caught.js";
import { Cluster } from "./cluster.js";
import { fitShard, mergeAll } from "./fit.js";
import { serve } from "./server.js";
import { shards } from "./shards.js";

const ROWS = 65_536; // 8 pieces, with a pause at each
const work = shards(12, ROWS);
const fits = [];
for (const shard of work) fits.push(await fitShard(shard));
const alone = mergeAll(fits);

const server = await serve(process.argv[2]);
const store = server.name;
// A lost worker is missed when its lock ends: after 2 s here, after 30 by default.
const times = { pause: 100, lockDuration: 2000, stalledInterval: 500, runRetryDelay: 500 };
const cluster = new Cluster(server.url, times);
let errors = "";
cluster.errors.on("data", (text) => {
  errors += text;
});
process.once("exit", (code) => code === 0 || console.error(`What the workers said:\n${errors}`));

await Promise.all([cluster.spawn(), cluster.spawn(), cluster.spawn()]);
const start = performance.now();
await losingWorkers(await cluster.add(work));
await losingTheStore(await cluster.add(work));
say(
  `${store} passed: a killed worker, a frozen worker, a killed store; every shard counted once, every bit the same`,
);
process.exit(0);

/** One worker is killed. Another is frozen, and wakes only when its shard has been done by another. */
async function losingWorkers(flow) {
  say(`${store}, 3 workers, ${work.length} shards of ${ROWS} rows`);
  const killed = await inTheMiddle(cluster, ROWS);
  const frozen = await inTheMiddle(cluster, ROWS, killed.by);
  killed.worker.kill("SIGKILL");
  await once(killed.worker, "exit");
  assert.equal(killed.worker.signalCode, "SIGKILL");
  say(`worker ${killed.by} is killed (SIGKILL) in shard ${killed.shard}, after ${killed.rows} rows`);
  say(`worker ${frozen.by} is frozen (SIGSTOP) in shard ${frozen.shard}, after ${frozen.rows} rows`);
  await cluster.spawn();

  const done = await redone(frozen);
  frozen.worker.kill("SIGCONT");
  say(`worker ${frozen.by} wakes (SIGCONT) and goes on with shard ${frozen.shard}`);
  const late = new RegExp(`^${frozen.by}: (.*${frozen.job}.*moveToFinished)`, "m");
  const [, refusal] = await until("the late result to be refused", () => errors.match(late));
  say(`its result is refused: ${refusal}`);
  const now = await cluster.shards.getJob(frozen.job);
  for (const field of ["processedBy", "finishedOn", "returnvalue"]) assert.deepEqual(now[field], done[field]);
  await redone(killed);
  await check(flow);
}

/** The store is killed while shards are in hand, and a second later started again on what it has written. */
async function losingTheStore(flow) {
  say("the same shards once more");
  const before = await until("three shards that are done", async () => {
    const done = await doneOf(flow);
    return done.length >= 3 && done;
  });
  const active = await cluster.shards.getActiveCount();
  assert.ok(active > 0);
  await server.kill();
  say(`${store} is killed (SIGKILL): ${before.length} shards done, ${active} in hand`);
  await setTimeout(1000);
  await server.start();
  assert.ok(server.recovery);
  say(`${store} runs again: ${server.recovery}`);
  await check(flow);
  const after = new Map((await doneOf(flow)).map((job) => [job.id, job]));
  for (const { id, finishedOn } of before) assert.equal(after.get(id).finishedOn, finishedOn);
  say(`the ${before.length} shards that were done have not been done again`);
}

/** The shard of a lost worker, when another has done it from its beginning. */
async function redone({ job, by, shard }) {
  const done = await until(`shard ${shard}`, async () => {
    const found = await cluster.shards.getJob(job);
    return found.finishedOn && found;
  });
  assert.notEqual(done.processedBy, by);
  assert.ok(done.attemptsStarted > 1);
  say(`shard ${shard} is begun again and done by worker ${done.processedBy}`);
  return done;
}

/** Each shard is in the result once. */
async function check(flow) {
  const fit = await cluster.result(flow);
  const done = await doneOf(flow);
  const starts = done.reduce((sum, job) => sum + job.attemptsStarted, 0);
  assert.equal(done.length, work.length);
  assert.equal(fit.moments.count, work.length * ROWS);
  assert.equal(JSON.stringify(fit), JSON.stringify(alone));
  say(`${starts} starts of ${done.length} shards, ${fit.moments.count} rows, the same bits as one process`);
}

async function doneOf(flow) {
  return (await cluster.shards.getCompleted()).filter(({ id }) => id.startsWith(flow));
}

function say(what) {
  console.log(`${((performance.now() - start) / 1000).toFixed(1).padStart(5)} s  ${what}`);
}
