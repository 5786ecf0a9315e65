import { serveLogging } from "./thread-log.ts";
import { writerMethods } from "./writer-methods.ts";

/* Entry of the thread that writes history. */

serveLogging(writerMethods);
