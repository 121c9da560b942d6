import { finish } from "../lib/suite.mjs";
import "./assets.mjs";
import "./lists.mjs";
import "./batches.mjs";
import "./assignments.mjs";
import "./refusals.mjs";
import "./sockets.mjs";
import "./imports.mjs";
import "./devices.mjs";
import "./crashes.mjs";
import "./upgrades.mjs";
import "./starting.mjs";
import "./configuration.mjs";
import "./certificates.mjs";

await finish();
