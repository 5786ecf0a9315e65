import { z } from "zod";
import { durationMs, durationPattern } from "./duration.ts";

/*
 * The kinds of values that a configuration key can have. An error text here starts with "expected"; the reader of the
 * file adds what it got, and where.
 */

export const text = (description: string) =>
  z.string({ error: "expected text" }).min(1, "expected text that is not empty").describe(description);

export const path = (description: string) => z.string({ error: "expected a path" }).min(1, "expected a path").describe(description);

export const yesNo = (description: string, value: boolean) =>
  z.boolean({ error: "expected true or false" }).default(value).describe(description);

export const whole = (description: string, min: number, max: number, value: number) =>
  z
    .int({ error: `expected a whole number from ${min} to ${max}` })
    .min(min, `expected a whole number from ${min} to ${max}`)
    .max(max, `expected a whole number from ${min} to ${max}`)
    .default(value)
    .describe(description);

export const duration = (description: string, value: string, min: string, max: string) => {
  const error = `expected a duration from ${min} to ${max}, such as 500ms, 5s, 5min or 1h`;
  return z
    .string({ error })
    .regex(durationPattern, { error, abort: true })
    .refine((given) => durationMs(given) >= durationMs(min) && durationMs(given) <= durationMs(max), { error })
    .prefault(value)
    .describe(description)
    .transform(durationMs);
};

export const choice = <const Word extends string>(description: string, words: readonly [Word, ...Word[]], value: NoInfer<Word>) =>
  z
    .enum(words, { error: `expected ${words.join(" or ")}` })
    .default(value as Word & z.core.util.NoUndefined<Word>)
    .describe(description);

export const topic = (description: string, value: string) =>
  z
    .string({ error: "expected an MQTT topic" })
    .regex(/^[^#+\0/][^#+\0]*(?<!\/)$/, "expected an MQTT topic without #, + or a slash at either end")
    .default(value)
    .describe(description);

export const section = <Shape extends z.core.$ZodLooseShape>(description: string, shape: Shape) =>
  z.strictObject(shape, { error: "expected a section with keys" }).describe(description);
