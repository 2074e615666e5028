// A page that leaves the work to a module worker.

new Worker("plain.js", { type: "module" });
