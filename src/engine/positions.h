// Where a sink stands in a thread slot, by record class, and how that is kept in the sink's cursor table.
//
// A slot's ordinals count all classes together; a stolen chunk's content is gone, so one number could not say how many
// spans and how many logs went with it (PROTOCOL 1). A position therefore is three counts, and a cursor is three rows:
// lane = slot * 4 + class.
#pragma once
#include <array>
#include <cstdint>

#include "ring/layout.h"

namespace honeylink::telemetry::engine {

using ring::kClasses;

/// How many records of each class are settled. Their sum is the ordinal of the next record.
struct Position {
  std::array<std::uint64_t, kClasses> count{};
  [[nodiscard]] std::uint64_t ordinal() const noexcept { return count[0] + count[1] + count[2]; }
  friend bool operator==(const Position&, const Position&) = default;
};
[[nodiscard]] inline Position position_of(const std::uint64_t (&counts)[kClasses]) noexcept {
  return {{counts[0], counts[1], counts[2]}};
}

inline constexpr std::uint32_t kLanesPerSlot = 4;
constexpr std::uint32_t lane_of(std::uint32_t slot, std::size_t record_class) noexcept {
  return slot * kLanesPerSlot + static_cast<std::uint32_t>(record_class);
}
// Slots that no thread has (a ring has at most 4,096): records of threads without a slot, and of a ring that its
// successor unlinked.
inline constexpr std::uint32_t kNoSlotSlot = 0x0fff'0000U;
inline constexpr std::uint32_t kUnlinkedSlot = 0x0fff'0001U;

inline constexpr auto kKeptSpan = static_cast<std::size_t>(ring::RecordClass::kept_span);
inline constexpr auto kUnsampledSpan = static_cast<std::size_t>(ring::RecordClass::unsampled_span);
inline constexpr auto kLog = static_cast<std::size_t>(ring::RecordClass::log);

}  // namespace honeylink::telemetry::engine
