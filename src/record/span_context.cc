// Ids as hex, and the traceparent header in both directions (W3C Trace Context level 2, §3.2). Called by propagation.cc
// and by anyone who wants an id as text. What must stay true: SpanContext::parse(x.traceparent()) has x's ids and
// flags; what does not parse is invalid, never half taken over.
#include <algorithm>

#include "honeylink/context.h"
#include "record/context_text.h"

namespace honeylink::telemetry {
namespace {

// 00-<32 hex>-<16 hex>-<2 hex>
constexpr std::size_t kTraceAt = 3, kSpanAt = 36, kFlagsAt = 53, kTraceparentBytes = 55;

}  // namespace

std::array<char, 32> TraceId::hex() const noexcept {
  std::array<char, 32> text;
  internal::format_hex(bytes, text.data());
  return text;
}

std::array<char, 16> SpanId::hex() const noexcept {
  std::array<char, 16> text;
  internal::format_hex(bytes, text.data());
  return text;
}

std::array<char, 55> SpanContext::traceparent() const noexcept {
  std::array<char, kTraceparentBytes> text;
  std::ranges::copy(std::string_view("00-"), text.begin());
  internal::format_hex(trace_id_.bytes, &text[kTraceAt]);
  text[kSpanAt - 1] = '-';
  internal::format_hex(span_id_.bytes, &text[kSpanAt]);
  text[kFlagsAt - 1] = '-';
  internal::format_hex(std::array{flags_}, &text[kFlagsAt]);
  return text;
}

SpanContext SpanContext::parse(std::string_view traceparent, std::string_view tracestate) noexcept {
  const std::string_view text = internal::trim(traceparent);
  if (text.size() < kTraceparentBytes || text[2] != '-' || text[kSpanAt - 1] != '-' || text[kFlagsAt - 1] != '-')
    return {};
  std::array<std::uint8_t, 1> version, flags;
  TraceId trace;
  SpanId span;
  if (!internal::parse_hex(text.substr(0, 2), version) || version[0] == 0xff) return {};
  // Version 00 ends here; a later one may have more fields after a dash, which we neither know nor send on (§3.2.4).
  if (text.size() > kTraceparentBytes && (version[0] == 0 || text[kTraceparentBytes] != '-')) return {};
  if (!internal::parse_hex(text.substr(kTraceAt, 32), trace.bytes) ||
      !internal::parse_hex(text.substr(kSpanAt, 16), span.bytes) ||
      !internal::parse_hex(text.substr(kFlagsAt, 2), flags)) {
    return {};
  }
  if (!trace.is_valid() || !span.is_valid()) return {};
  return SpanContext(trace, span, flags[0], true, TraceState::parse(tracestate));
}

}  // namespace honeylink::telemetry
