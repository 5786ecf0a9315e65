import type { LocalStamp } from "../model/local-time.ts";

/** What is written as a line has a time on the site's clock, which decides into which file it goes. */
export interface Stamped {
  readonly stamp: LocalStamp;
}

/** What a log file's lines look like. Lines are passed without their line feed, as Latin-1 text, one character a byte. */
export interface LineFormat<Entry extends Stamped> {
  /** What file names begin with, before the date. */
  readonly prefix: string;
  /** What file names end with, without the dot. */
  readonly extension: string;
  /** The first line of a new file, empty where there is none. `before` is the header of the day's file that the entry does not fit into. */
  header(entry: Entry, before?: string): string;
  /** Whether a file that begins with this line is ours. */
  isFirstLine(line: string): boolean;
  /** Whether the entry may stand in a file that begins with this line, which is empty for a new file without a header. */
  fits(firstLine: string, entry: Entry): boolean;
  line(header: string, entry: Entry): string;
  /** Whether a last line that lacks its line feed is whole for certain, judged by the line before it. */
  isWhole(line: string, previous: string): boolean;
}

/** A text as it is passed to a file: its UTF-8 bytes, one character each. */
export const utf8AsLatin1 = (text: string): string => Buffer.from(text, "utf8").toString("latin1");
