// node run-jasmine.js specs.cjs: the specs of a bundle, in a process of their own.

import Jasmine from "jasmine";

const jasmine = new Jasmine();
jasmine.randomizeTests(false);
await jasmine.execute([process.argv[2]]);
