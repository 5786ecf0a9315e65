import { useSignal } from "@preact/signals";
import type { ComponentChildren, VNode } from "preact";
import { balanceText } from "../../src/model/balance.ts";
import type { CardDocument, CardSetting, Support } from "../../src/model/card.ts";
import type { InverterState } from "./store.ts";
import { toWords } from "./words.ts";

type Shown = { readonly document: CardDocument } | { readonly trouble: string } | undefined;

const supports: readonly (readonly [Support, string])[] = [
  ["answers", "Answers"],
  ["hasNothing", "Has nothing to tell"],
  ["refuses", "Refuses"],
  ["silent", "Is silent to"],
  ["unreadable", "Answers in an unknown form"],
];

/** What sonkrag has found out about the make of this inverter; asked for when it is opened. */
export function ModelCard({ inverter }: { readonly inverter: InverterState }): VNode {
  const shown = useSignal<Shown>(undefined);
  const load = async (): Promise<void> => {
    try {
      const response = await fetch(`/api/v1/inverters/${encodeURIComponent(inverter.id)}/card`);
      shown.value = response.ok
        ? { document: (await response.json()) as CardDocument }
        : { trouble: "The inverter has not said yet who it is." };
    } catch {
      shown.value = { trouble: "sonkrag cannot be reached." };
    }
  };
  return (
    <details
      class="card model-card"
      onToggle={(event) => {
        if (event.currentTarget.open) load().catch(console.error);
      }}
    >
      <summary>
        <h3>Model card</h3>
      </summary>
      {shown.value === undefined && <p class="note">Loading…</p>}
      {shown.value !== undefined && "trouble" in shown.value && <p class="note">{shown.value.trouble}</p>}
      {shown.value !== undefined && "document" in shown.value && <Card {...shown.value.document} />}
    </details>
  );
}

function Card({ card, facts, balance }: CardDocument): VNode {
  const { parallel, unknownFields, malformedFields, settings } = facts;
  return (
    <>
      <p class="note">
        {card.complete
          ? "Found out by asking; sonkrag card --share writes it to a file that can be shown to anybody."
          : "Not complete yet: the inverter is still being asked."}
      </p>
      <dl class="facts">
        <Fact name="Model">
          {[facts.modelName, facts.modelNumber && `number ${facts.modelNumber}`].filter(Boolean).join(", ") || "does not tell"}
        </Fact>
        <Fact name="Family">{facts.familyTitle}</Fact>
        <Fact name="Firmware">
          {[card.firmware ?? "does not tell", facts.secondFirmware && `second ${facts.secondFirmware}`].filter(Boolean).join(", ")}
        </Fact>
        <Fact name="Solar inputs">
          {facts.pvInputs}, power {facts.pvPower}
        </Fact>
        {balance && <Fact name="Energy balance">{balanceText(balance)}</Fact>}
        <Fact name="Units, phases">
          {parallel.units}, {parallel.phases}
        </Fact>
        {supports.map(([support, title]) => {
          const commands = Object.entries(card.commands).filter(([, record]) => record.support === support);
          return commands.length === 0 ? null : (
            <Fact key={support} name={title}>
              {commands.map(([command, { fields = 0 }]) => (fields > 1 ? `${command} (${fields} fields)` : command)).join(", ")}
            </Fact>
          );
        })}
        {Object.entries(malformedFields).map(([command, { index, name, text, isHabit }]) => (
          <Fact key={command} name={`Malformed in ${command}`}>
            field {index} ({name}): {text}; {isHabit ? "always so: the other fields are trusted" : "no field of the reply is trusted yet"}
          </Fact>
        ))}
        {Object.entries(unknownFields).map(([command, fields]) => (
          <Fact key={command} name={`Unknown fields of ${command}`}>
            {fields.map(({ index, text }) => `field ${index}: ${text}`).join(", ")}
          </Fact>
        ))}
        <Fact name="Settings it takes">{settingNames(settings, (kind) => kind !== "locked")}</Fact>
        <Fact name="Locked at the moment">{settingNames(settings, (kind) => kind === "locked")}</Fact>
      </dl>
    </>
  );
}

function settingNames(settings: Readonly<Record<string, CardSetting>>, fits: (kind: CardSetting["kind"]) => boolean): string {
  const names = Object.entries(settings).filter(([, { kind }]) => fits(kind));
  return names.map(([name]) => toWords(name)).join(", ") || "none";
}

function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }): VNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
