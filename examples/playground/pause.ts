// The page has one thread, and that is its visitor's: what takes long is cut into tasks, and theirs come in between.

/** Ends the task that runs: what awaits this goes on in another. */
export const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));
