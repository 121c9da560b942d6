import { finish } from "./harness.mjs";
import "./hello.mjs";
import "./frames.mjs";
import "./channels.mjs";
import "./presence.mjs";

await finish();
