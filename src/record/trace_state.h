// The members of a tracestate while it is read or changed; inside of trace_state.cc and propagation.cc. On the stack of
// one thread.
#pragma once
#include <array>
#include <cstddef>
#include <string_view>

#include "honeylink/context.h"

namespace honeylink::telemetry::internal {

struct TraceStateMember {
  std::string_view key, value;
  [[nodiscard]] constexpr std::size_t bytes() const noexcept { return key.size() + 1 + value.size(); }
};

/// Views into texts that must outlive it. Never more than kTraceStateMembersMax, keys unique, keys and values valid.
class TraceStateMembers {
 public:
  /// Appends the members of one header. False: a member is malformed or one too many, and the whole list is worth
  /// nothing.
  [[nodiscard]] bool add_header(std::string_view header) noexcept;
  /// False where the list is full. A key that is there already stays as it is: that is the newer one.
  [[nodiscard]] bool add(TraceStateMember member) noexcept;
  /// Cuts whole members until the text is short enough, never one of the first `keep`. Says whether it cut.
  bool fit(std::size_t bytes_max, std::size_t keep) noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t bytes() const noexcept;
  /// The list as a value; empty where there is nothing in it, or no memory.
  [[nodiscard]] TraceState build() const noexcept;

 private:
  std::array<TraceStateMember, kTraceStateMembersMax> members_;
  std::size_t size_ = 0;
};

/// `so_far` and one header more, not yet cut to kTraceStateBytesMax. False: malformed, `so_far` is as it was.
[[nodiscard]] bool join_trace_state(TraceState& so_far, std::string_view header) noexcept;
[[nodiscard]] TraceState fit_trace_state(const TraceState& state) noexcept;

}  // namespace honeylink::telemetry::internal
