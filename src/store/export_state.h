// What stands in <home>/export for a destination and signal (docs/formats/export_state.md): how far it has
// acknowledged, and what became of everything that was due. Written by export, read by it and by `honeytel status`.
// Values; any thread.
//
// Must stay true: positions and totals are of one moment, so that after a crash both go on from the same place.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace honeylink::telemetry::store {

/// Of items (spans, lines, points) but for the two that count requests.
struct ExportTotals {
  std::uint64_t sent = 0;        // acknowledged by the peer
  std::uint64_t backfilled = 0;  // part of sent: out of the stores
  std::uint64_t rejected = 0;    // by a partial success
  std::uint64_t refused = 0;     // for good, with their whole request
  std::uint64_t unreadable = 0;  // damaged here, or their keys are gone
  std::uint64_t expired = 0;     // no longer stored when their turn came
  std::uint64_t resent = 0;      // of requests that had no answer: the peer may have them twice
  std::uint64_t requests = 0, failures = 0;

  /// Items that were due and never will arrive; what retention took is not among them.
  [[nodiscard]] std::uint64_t lost() const noexcept { return rejected + refused + unreadable; }
  void add(const ExportTotals& more) noexcept;
};

struct ExportTotalName {
  const char* name;
  std::uint64_t ExportTotals::*value;
};
inline constexpr std::array<ExportTotalName, 9> kExportTotals{{{"sent", &ExportTotals::sent},
                                                               {"backfilled", &ExportTotals::backfilled},
                                                               {"rejected", &ExportTotals::rejected},
                                                               {"refused", &ExportTotals::refused},
                                                               {"unreadable", &ExportTotals::unreadable},
                                                               {"expired", &ExportTotals::expired},
                                                               {"resent", &ExportTotals::resent},
                                                               {"requests", &ExportTotals::requests},
                                                               {"failures", &ExportTotals::failures}}};

struct ExportState {
  std::string acknowledged;  // the ranges, as export writes them
  ExportTotals totals;
  std::uint64_t backlog = 0;               // spans; bytes of lines; ticks of points: stored, not acknowledged
  std::int64_t answered_unix_ns = 0;       // the newest acknowledgement; 0: none yet
  std::int64_t failing_since_unix_ns = 0;  // 0: the last request was answered
  std::string said;                        // why it fails, or what the peer said last; one line
};

inline constexpr std::size_t kExportStateBytesMax = 64 * 1024;

[[nodiscard]] std::string write_export_state(const ExportState& state);
/// False: it is none; `state` is as it was.
[[nodiscard]] bool read_export_state(std::string_view text, ExportState& state);
/// Of a receipt's file and a signal: "<home>/export/0123….traces", to which ".acked" or ".totals" is appended.
[[nodiscard]] std::string export_state_path(const std::string& home, std::string_view receipt_file,
                                            std::string_view signal);

}  // namespace honeylink::telemetry::store
