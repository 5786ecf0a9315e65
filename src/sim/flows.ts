/** What decides how power flows through one step; all powers in whole mW. */
export interface FlowDemand {
  readonly mode: "line" | "battery" | "standby";
  /** What the consumers take; 0 when the output is off. */
  readonly load: number;
  /** What the inverter itself takes from its bus. */
  readonly idle: number;
  /** What the strings could give. */
  readonly pvOffer: number;
  /** In line mode: whether the sun serves the load before the battery, after it, or not at all. */
  readonly pvToLoad: "first" | "surplus" | "never";
  /** Whether the sun may charge. */
  readonly pvCharges: boolean;
  /** Limits at the battery's terminals. */
  readonly chargeLimit: number;
  readonly dischargeLimit: number;
  /** The part of the charge limit that may come from the grid. */
  readonly acChargeLimit: number;
}

/** One step's flows, whole mW: pv + grid + batteryOut = load + batteryIn + the sum of the losses, exactly. */
export interface Flows {
  readonly pv: number;
  readonly grid: number;
  readonly batteryOut: number;
  readonly load: number;
  readonly batteryIn: number;
  readonly losses: {
    readonly idle: number;
    readonly pvConverter: number;
    readonly inverter: number;
    readonly batteryConverter: number;
    readonly rectifier: number;
  };
  /** At the battery's terminals, the part of `batteryIn` that came from the grid. */
  readonly acCharge: number;
}

/** Loss of each converter per thousand of what leaves it. */
const permille = { pvConverter: 22, inverter: 45, batteryConverter: 18, rectifier: 50 } as const;

const lossOf = (output: number, rate: number): number => Math.round((output * rate) / 1000);
const inputFor = (output: number, rate: number): number => output + lossOf(output, rate);
/** The most output whose input does not exceed `input`. */
const outputOf = (input: number, rate: number): number => Math.floor((input * 1000) / (1000 + rate));

/** Power on the internal DC bus by purpose. */
interface Bus {
  readonly pv: number;
  /** From the grid through the rectifier. */
  readonly ac: number;
  /** The part of `ac` that goes to the battery. */
  readonly acToBattery: number;
  /** From the battery. */
  readonly battery: number;
  /** Load served through the inverter, at the output. */
  readonly inverted: number;
  readonly batteryIn: number;
  readonly idle: number;
}

/** Shares the power out; absent when the load cannot be served and the output has to go off. */
export function shareOut(demand: FlowDemand): Flows | undefined {
  const bus = demand.mode === "line" ? lineBus(demand) : islandBus(demand);
  if (bus === undefined) return undefined;
  const pvConverter = lossOf(bus.pv, permille.pvConverter);
  const rectifier = lossOf(bus.ac, permille.rectifier);
  const discharge = lossOf(bus.battery, permille.batteryConverter);
  const charge = lossOf(bus.batteryIn, permille.batteryConverter);
  const bypassed = demand.load - bus.inverted;
  return {
    pv: bus.pv + pvConverter,
    grid: bypassed + bus.ac + rectifier,
    batteryOut: bus.battery + discharge,
    load: demand.load,
    batteryIn: bus.batteryIn,
    losses: {
      idle: bus.idle,
      pvConverter,
      inverter: lossOf(bus.inverted, permille.inverter),
      batteryConverter: discharge + charge,
      rectifier,
    },
    acCharge: outputOf(bus.acToBattery, permille.batteryConverter),
  };
}

/** Grid present and in use: it serves what the sun does not. */
function lineBus(demand: FlowDemand): Bus {
  const offer = outputOf(demand.pvOffer, permille.pvConverter);
  const chargeRoom = inputFor(demand.chargeLimit, permille.batteryConverter);
  let left = offer;
  const take = (wanted: number): number => {
    const taken = Math.min(left, wanted);
    left -= taken;
    return taken;
  };
  const idleFromPv = demand.pvToLoad === "never" ? 0 : take(demand.idle);
  let inverted = 0;
  let chargeFromPv = 0;
  const serveLoad = (): void => {
    inverted = outputOf(Math.min(left, inputFor(demand.load, permille.inverter)), permille.inverter);
    left -= inputFor(inverted, permille.inverter);
  };
  if (demand.pvToLoad === "first") serveLoad();
  if (demand.pvCharges) chargeFromPv = take(chargeRoom);
  if (demand.pvToLoad === "surplus") serveLoad();
  const chargeFromAc = Math.min(chargeRoom - chargeFromPv, inputFor(demand.acChargeLimit, permille.batteryConverter));
  const batteryIn = outputOf(chargeFromPv + chargeFromAc, permille.batteryConverter);
  const charge = inputFor(batteryIn, permille.batteryConverter);
  const chargePv = Math.min(charge, chargeFromPv);
  return {
    pv: idleFromPv + inputFor(inverted, permille.inverter) + chargePv,
    ac: charge - chargePv + (demand.idle - idleFromPv),
    acToBattery: charge - chargePv,
    battery: 0,
    inverted,
    batteryIn,
    idle: demand.idle,
  };
}

/** On its own: sun first, the battery gives or takes the rest, and what nobody can take is not drawn from the strings. */
function islandBus(demand: FlowDemand): Bus | undefined {
  const offer = outputOf(demand.pvOffer, permille.pvConverter);
  const need = inputFor(demand.load, permille.inverter) + demand.idle;
  if (offer >= need) {
    const room = demand.pvCharges ? inputFor(demand.chargeLimit, permille.batteryConverter) : 0;
    const batteryIn = outputOf(Math.min(offer - need, room), permille.batteryConverter);
    const pv = need + inputFor(batteryIn, permille.batteryConverter);
    return { pv, ac: 0, acToBattery: 0, battery: 0, inverted: demand.load, batteryIn, idle: demand.idle };
  }
  const battery = need - offer;
  if (inputFor(battery, permille.batteryConverter) > demand.dischargeLimit) return undefined;
  return { pv: offer, ac: 0, acToBattery: 0, battery, inverted: demand.load, batteryIn: 0, idle: demand.idle };
}
