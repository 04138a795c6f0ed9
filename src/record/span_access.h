// The recorder's side of Span: how start, annotations and end reach its members and its slot. tracer.cc starts and
// ends, span.cc annotates.
#pragma once
#include "honeylink/trace.h"
#include "record/process.h"
#include "record/ticks.h"

namespace honeylink::telemetry::internal {

struct SpanAccess {
  static const SpanRef& ref(const Span& span) noexcept { return span.ref_; }
  /// For an end that finds no slot, or not its own.
  static void set_slotless_status(const Span& span, SpanStatus status) noexcept {
    constexpr auto kOk = static_cast<std::uint8_t>(SpanStatus::ok);  // is final
    if (status == SpanStatus::unset || __atomic_load_n(&span.ref_.status, __ATOMIC_RELAXED) == kOk) return;
    __atomic_store_n(&span.ref_.status, static_cast<std::uint8_t>(status), __ATOMIC_RELAXED);
  }
  static void set_name(const Span& span, std::uint32_t name) noexcept { span.name_ = name; }
  /// Starts `span` on thread `t`. Leaves it empty where nothing is to be recorded and nothing to be passed on. Answers
  /// how many attributes found no room: they, and links, are complete()'s.
  static std::size_t start(Span& span, SlotState& s, Thread& t, const Scope& scope, std::uint32_t& scope_id,
                           const SpanName& name, Attributes attributes, const SpanOptions* options) noexcept;
  template <Clock kClock>
  static bool start_usual(SpanRef& ref, const std::uint32_t& scope_id, SpanName name, Attributes attributes) noexcept;
  static bool start_unrecorded(SpanRef& ref) noexcept;
  static void start_without_slot(Span& span, std::uint32_t name, std::uint16_t scope, SpanKind kind,
                                 std::uint64_t parent, std::int64_t given_start) noexcept;
  static void complete(const Span& span, Attributes attributes, std::size_t rest, const SpanOptions* options) noexcept;
  template <Clock kClock>
  static void finish_usual(Span& span, std::int64_t at_unix_ns) noexcept;
  static void finish_by_call(Span& span, std::int64_t at_unix_ns) noexcept;
  static void finish_slow(Span& span, std::int64_t at_unix_ns) noexcept;
};

/// Sets bits of the open span's record (kFlagSlow, kFlagKeepTrace). Any thread; nothing where it is not open.
void flag_open_span(const SpanRef& ref, std::uint8_t flags) noexcept;

[[gnu::visibility("hidden")]] extern constinit bool exceptions_mark_spans;  // Options; written by start()

}  // namespace honeylink::telemetry::internal
