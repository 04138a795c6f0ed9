// What became of what was due to receivers: out of the engine's files in <home>/export, for `honeytel status` and the
// page. Reads only; any thread.
#pragma once
#include <string>
#include <vector>

#include "consent/store.h"
#include "store/export_state.h"

namespace honeylink::telemetry::query {

struct ExportStatus {
  std::string endpoint, signal;  // "traces", "logs", "metrics"
  store::ExportState state;
  /// "3 spans", "12 kB of lines", "4 ticks of points"; "nothing".
  [[nodiscard]] std::string backlog_text() const;
};

/// Of each of these receipts and signals for which something was sent, or should have been.
[[nodiscard]] std::vector<ExportStatus> read_exports(const std::string& home,
                                                     const std::vector<consent::Checked>& receipts);
/// An array, an object each: every count by its name.
[[nodiscard]] std::string exports_json(const std::vector<ExportStatus>& exports);

}  // namespace honeylink::telemetry::query
