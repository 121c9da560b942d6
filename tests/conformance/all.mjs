import { finish } from "../lib/suite.mjs";
import "./hello.mjs";
import "./frames.mjs";
import "./connecting.mjs";
import "./channels.mjs";
import "./presence.mjs";
import "./longpoll.mjs";
import "./http2.mjs";
import "./bodies.mjs";
import "./compression.mjs";
import "./timers.mjs";
import "./python.mjs";
import "./durable.mjs";
import "./events.mjs";

await finish();
