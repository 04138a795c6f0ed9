// start(), and what happens without it.
#pragma once
#include "honeylink/options.h"
#include "honeylink/status.h"

namespace honeylink::telemetry::internal {

/// At the first record of a process or of a fork child. Lock held. Starts for real where the owner asked for it
/// (HONEYLINK_TELEMETRY=on) or where the process (a fork child's parent) had started; else memory that waits for
/// start().
void begin_recording_locked() noexcept;

}  // namespace honeylink::telemetry::internal
