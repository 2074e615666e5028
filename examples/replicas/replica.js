// A thread that is one replica.

import { parentPort, workerData } from "node:worker_threads";
import { Group } from "./group.js";
import { train } from "./training.js";

const { rank, shared, settings } = workerData;
parentPort.postMessage(train(settings, new Group(rank, shared)));
