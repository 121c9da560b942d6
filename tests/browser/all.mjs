import { finish } from "../lib/suite.mjs";
import "./live.mjs";
import "./forms.mjs";
import "./lists.mjs";
import "./keyboard.mjs";
import "./imports.mjs";
import "./monitor.mjs";
import "./crash.mjs";
import "./ops.mjs";
import "./looks.mjs";
import "./quiet.mjs";

await finish();
