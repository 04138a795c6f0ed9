// The audit log as its readers see it: entries one after the other, oldest first, without judging them (verify.h does).
// Reads only; any thread.
#pragma once
#include <functional>
#include <string>

#include "audit/entry.h"

namespace honeylink::telemetry::audit {

/// Each line: as an entry, or nullptr where it is none. The visitor answers false to end. False and `why` where a file
/// cannot be read; a home without a log has no entries.
bool for_each_entry(const std::string& home, const std::function<bool(const Entry*, std::string_view line)>& visit,
                    std::string& why);

}  // namespace honeylink::telemetry::audit
