// A program in CommonJS.

const simdnorm = require("simdnorm");

import("./check.js").then(({ check }) => console.log(check(simdnorm)));
