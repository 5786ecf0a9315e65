import { readerMethods } from "./reader-methods.ts";
import { serveLogging } from "./thread-log.ts";

/* Entry of the thread that answers questions about history. */

serveLogging(readerMethods);
