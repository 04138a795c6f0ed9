// Every parser of propagation with hostile bytes. An input is lines `name: value`, as a carrier would give them; each
// value also goes through the value types' own setters. What must stay true: no crash, the limits hold, and what we
// send is read back as what we had.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "honeylink/propagation.h"

namespace tel = honeylink::telemetry;

namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

void require(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", promise);
  std::abort();
}

Headers lines_of(std::string_view text) {
  Headers headers;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    const std::size_t colon = line.find(':');
    headers.emplace_back(line.substr(0, colon), colon == std::string_view::npos ? line : line.substr(colon + 1));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return headers;
}

Headers sent(const tel::Context& context) {
  Headers headers;
  tel::inject(headers, context);
  return headers;
}

void check_round_trip(const tel::Context& context) {
  const Headers once = sent(context);
  for (const auto& [name, value] : once) {
    require(value.size() <= (name == "traceparent"  ? 55
                             : name == "tracestate" ? tel::kTraceStateBytesMax
                                                    : tel::kBaggageBytesMax),
            "limits of a sent header");
    for (const char c : value) require((c >= 0x20 && c <= 0x7e) || c == '\t', "a sent header is printable");
  }
  const tel::Context again = tel::extract(once);
  require(sent(again) == once, "what we send is read back");
  require(again.span().trace_id() == context.span().trace_id() || !context.span().is_valid(), "the trace id stays");
  require(again.baggage().size() == context.baggage().size(), "no pair of baggage is lost");
  context.baggage().for_each([&again](std::string_view name, std::string_view value, std::string_view) {
    require(again.baggage().get(name) == value, "a value of baggage stays");
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Headers headers = lines_of(text);
  const tel::Context context = tel::extract(headers);
  check_round_trip(context);
  tel::TraceState state = context.span().trace_state();
  tel::Baggage baggage = context.baggage();
  for (const auto& [name, value] : headers) {
    static_cast<void>(tel::SpanContext::parse(value, name));
    static_cast<void>(tel::TraceState::parse(value));
    state = state.set(name, value);
    baggage = baggage.set(name, value, headers.front().second);
    if (value.size() % 5 == 4) state = state.erase(name), baggage = baggage.erase(name);
  }
  const tel::SpanContext span(tel::TraceId{{1}}, tel::SpanId{{2}}, 1, false, std::move(state));
  check_round_trip(tel::Context(span, std::move(baggage)));
  return 0;
}
