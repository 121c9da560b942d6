import { finish } from "../lib/suite.mjs";
import "./types.mjs";
import "./channels.mjs";
import "./durable.mjs";
import "./rendered.mjs";
import "./device.mjs";
import "./vue.mjs";
import "./react.mjs";

await finish();
