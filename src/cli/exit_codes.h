// What honeytel answers to the shell (UX 16). Part of the interface: documented in docs/cli.md, printed by `honeytel
// help exit-codes`.
#pragma once

namespace honeylink::telemetry::cli {

enum Exit : int {
  kOk = 0,
  kFailed = 1,  // or "no": a gate that is not met
  kUsage = 2,
  kEnvironment = 3,  // permission, missing home, port in use
  kNotFound = 6,
  kStore = 7,  // busy or damaged
  kNoConsent = 8,
  kYellow = 10,  // sli --check: the worst level; Orange is 11, Red 12
  kOrange = 11,
  kRed = 12,
  kInterrupted = 130,
};

}  // namespace honeylink::telemetry::cli
