import { finish } from "../lib/suite.mjs";
import "./live.mjs";
import "./forms.mjs";
import "./lists.mjs";
import "./reads.mjs";
import "./keyboard.mjs";
import "./imports.mjs";
import "./monitor.mjs";
import "./crash.mjs";
import "./resume.mjs";
import "./ops.mjs";
import "./dev.mjs";
import "./looks.mjs";
import "./quiet.mjs";

await finish();
