/** The browser-safe core: the words and the protocol, without timers, input or output. */
export {
  errorCodes,
  SonkragError,
  TransportError,
  FrameError,
  ReplyError,
  DeadlineError,
  RefusedError,
  SinkError,
  ConfigError,
  NotRunningError,
} from "./model/errors.ts";
export type { ErrorCode, Retry } from "./model/errors.ts";
export { metric, findMetric } from "./model/metric.ts";
export type { Metric, MetricGroup, MetricKey, Unit } from "./model/metric.ts";
export type {
  InverterInfo,
  LinkCounters,
  LinkStatus,
  Notice,
  Origin,
  Reading,
  RejectReason,
  Severity,
  Sink,
  Value,
  Values,
} from "./model/reading.ts";
export type { SystemAlarm, SystemDifference, SystemMember, SystemPhase, SystemState, SystemTotal, SystemValue } from "./model/system.ts";
export { checksum, matchChecksum, rawCrc } from "./protocol/crc.ts";
export type { ChecksumHabit } from "./protocol/crc.ts";
export { FrameDecoder, hex } from "./protocol/frame.ts";
export type { Discarded, Frame } from "./protocol/frame.ts";
export { encodeCommand, encodePayload, encodeReply } from "./protocol/encode.ts";
export { decodeFrame, decodeReply } from "./protocol/decode.ts";
export type { Reply } from "./protocol/decode.ts";
export { derive } from "./protocol/reading.ts";
export { identify } from "./protocol/identify.ts";
export type { Dialect } from "./protocol/identify.ts";
export { exampleOf, request, requestSentAs } from "./protocol/command.ts";
export type { Cadence, Query, Request, ValuesOf } from "./protocol/command.ts";
export { findRequest, pi30 } from "./protocol/pi30/dialect.ts";
export { explainFault, explainWarnings, faultCodeOf } from "./protocol/pi30/explain.ts";
export { describeAllowed, holds, isAllowed, writes } from "./protocol/setting.ts";
export type { Effect, NotOffered, ReadBack, Setting, UnitFacts, UnitMake, Write } from "./protocol/setting.ts";
export { classify, findSetting, settings } from "./protocol/pi30/settings/catalogue.ts";
export type { Classified } from "./protocol/pi30/settings/catalogue.ts";
export { familyOf, findFamily } from "./protocol/pi30/families.ts";
export type { FamilyEvidence } from "./protocol/pi30/families.ts";
export type { Family } from "./protocol/pi30/family.ts";
export type { Allowed, SettingInfo, SettingLevel, SettingValue } from "./model/setting.ts";
