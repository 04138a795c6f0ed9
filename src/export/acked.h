// What of a signal's order of storing a destination has acknowledged: ranges of positions, kept in a file so that a
// restart sends neither too little nor, short of a crash, anything twice. Positions only grow: spans by hot.first
// (traces_db.md), log lines by file and offset, metrics by commit number.
//
// Must stay true: ranges ascend and neither touch nor overlap; nothing below `floor` is ever sent. Not thread-safe; one
// owner.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace honeylink::telemetry::exporting {

struct Range {
  std::uint64_t first = 0, last = 0;  // last: the one after
  friend bool operator==(const Range&, const Range&) = default;
};

/// Gaps that a destination may have at once; beyond it the smallest is closed and counted as sent again later.
inline constexpr std::size_t kAckedRangesMax = 1024;

class Acked {
 public:
  explicit Acked(std::uint64_t floor = 0) : floor_(floor) {}
  [[nodiscard]] std::uint64_t floor() const noexcept { return floor_; }
  void add(Range range);
  /// What was at or above `from` was never stored: it comes again (span_hand_over.h).
  void forget_from(std::uint64_t from);
  /// The lowest part of [floor, head) that is not acknowledged.
  [[nodiscard]] std::optional<Range> first_gap(std::uint64_t head) const;
  [[nodiscard]] std::uint64_t missing(std::uint64_t head) const;
  /// All of [floor, head) that is not acknowledged.
  [[nodiscard]] std::vector<Range> gaps(std::uint64_t head) const;
  enum class Part : std::uint8_t { none, some, all };
  [[nodiscard]] Part of(Range range) const;
  [[nodiscard]] const std::vector<Range>& ranges() const noexcept { return ranges_; }

  /// "floor first-last first-last …", and back; nullopt where it is none.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] static std::optional<Acked> parse(std::string_view text);

 private:
  std::uint64_t floor_ = 0;
  std::vector<Range> ranges_;
};

}  // namespace honeylink::telemetry::exporting
