// See read.h.
#include "audit/read.h"

#include "audit/files.h"

namespace honeylink::telemetry::audit {

bool for_each_entry(const std::string& home, const std::function<bool(const Entry*, std::string_view line)>& visit,
                    std::string& why) {
  bool goes_on = true;
  for (const std::string& file : list_files(home)) {
    std::uint64_t torn = 0;
    const auto line = [&](std::string_view text, std::uint64_t) {
      Entry entry;
      std::string ignored;
      return goes_on = visit(read_entry(text, entry, ignored) ? &entry : nullptr, text);
    };
    if (!for_each_line(file, line, torn, why)) return false;
    if (!goes_on) break;
  }
  return true;
}

}  // namespace honeylink::telemetry::audit
