// The one place that knows which store a URL means: redis://… or postgres://….

import { createPostgresBackend } from "bullmq";

/** The connection, and the backend behind it, that every object of BullMQ takes. */
export function store(url) {
  return /^postgres(ql)?:/.test(url)
    ? { connection: { connectionString: url, max: 4, migrate: true }, backend: createPostgresBackend }
    : { connection: { url, maxRetriesPerRequest: null }, backend: undefined };
}
