import type { HttpBindings } from "@hono/node-server";
import type { Hono } from "hono";
import type { CardDocument } from "../model/card.ts";

/** The card of an inverter; absent while it was never met. */
export type CardSource = (inverter: string) => CardDocument | undefined;

interface Options {
  readonly source: CardSource;
  readonly problem: (status: number, code: string, message: string) => Response;
}

/** What was found out about the make of an inverter. */
export function addCardRoutes(app: Hono<{ Bindings: HttpBindings }>, { source, problem }: Options): void {
  app.get("/api/v1/inverters/:id/card", (c) => {
    const id = c.req.param("id");
    const card = source(id);
    if (card === undefined) return problem(404, "not-found", `expected a known inverter that has said who it is, got ${id}`);
    return c.json(card, 200, { "cache-control": "no-store" });
  });
}
