// The element alone, as a script of its own for pages and exports.
import { define } from "./view";

define();
