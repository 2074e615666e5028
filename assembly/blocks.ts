// Blocks that drivers call. They are exported only so that the compiler does not inline them into their callers: V8 puts
// optimized code to work when a function is called, not while it loops. TypeScript calls none of them.

export { imageApply, rowsApply } from "./apply";
export { columnsBackward1, columnsBackward4, imageBackward } from "./backward";
export { columnsGradients1, columnsGradients4, imageGradients } from "./gradients";
export { columnsSums1, columnsSums4 } from "./moments-columns";
export { imageMoments, planesSums } from "./moments-planes";
