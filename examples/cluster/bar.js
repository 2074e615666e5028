// A progress bar over rows, of what the store tells of a flow's children.

const WIDTH = 40;

/** Draws, on stderr, until a run's `total` rows are in. Where nobody watches, a line per quarter. */
export function showRows(events, run, total) {
  const rows = new Map();
  let quarter = 0;
  const seen = (jobId, count) => {
    if (!jobId.startsWith(run)) return; // Of another run: the store may be one that many use.
    rows.set(jobId, count);
    const done = [...rows.values()].reduce((sum, n) => sum + n);
    const bar = "#".repeat((WIDTH * done) / total).padEnd(WIDTH, ".");
    const line = `[${bar}] ${done.toLocaleString("en")} of ${total.toLocaleString("en")} rows`;
    if (process.stderr.isTTY) process.stderr.write(`\r${line}${done < total ? "" : "\n"}`);
    else if ((4 * done) / total >= quarter + 1) {
      quarter = Math.floor((4 * done) / total);
      console.error(line);
    }
  };
  events.on("progress", ({ jobId, data }) => seen(jobId, data.rows));
  events.on("completed", ({ jobId, returnvalue }) => seen(jobId, returnvalue.moments.count));
}
