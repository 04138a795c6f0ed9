// A span as people and programs see it: ids computed, texts looked up, values as JSON. Made from the stores' blobs or
// from a ring; shown by cli and view. Plain values.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/events.h"
#include "base/text.h"

namespace honeylink::telemetry::query {

using TraceIdBytes = std::array<std::uint8_t, 16>;
using SpanIdBytes = std::array<std::uint8_t, 8>;

/// A key and a JSON value.
using NamedJson = std::pair<std::string, std::string>;

struct SpanEventView {
  std::string name;
  std::int64_t time_unix_ns = 0;
  std::vector<NamedJson> attributes;
};
struct SpanLinkView {
  TraceIdBytes trace_id{};
  SpanIdBytes span_id{};
  std::vector<NamedJson> attributes;
};

/// `shape`: where a span stands in its trace, without what it says of itself (scope, texts, attributes, events, links).
enum class SpanDetail : std::uint8_t { whole, shape };

struct SpanView {
  TraceIdBytes trace_id{};
  SpanIdBytes span_id{}, parent_span_id{};
  bool has_parent = false, has_events = false;
  std::string name, service, module, scope;
  std::uint8_t kind = 0, status = 0;
  Kept kept = Kept::sampled;
  bool unfinished = false, slow = false, keep_trace = false, no_slot = false;
  std::int64_t start_unix_ns = 0, duration_ns = 0;
  std::uint32_t dropped_attributes = 0, dropped_events = 0;
  std::string status_text, trace_state, keep_reason;
  std::vector<NamedJson> attributes;
  std::vector<SpanEventView> events;
  std::vector<SpanLinkView> links;

  [[nodiscard]] bool is_error() const noexcept { return status == 2; }
  [[nodiscard]] std::int64_t end_unix_ns() const noexcept {  // of a damaged file the sum may not fit
    std::int64_t end = 0;
    return __builtin_add_overflow(start_unix_ns, duration_ns, &end) ? INT64_MAX : end;
  }
};

[[nodiscard]] std::string_view kind_name(std::uint8_t kind) noexcept;      // "internal", "server", …
[[nodiscard]] std::string_view status_name(std::uint8_t status) noexcept;  // "unset", "ok", "error"
[[nodiscard]] std::string_view kept_name(Kept kept) noexcept;  // "sampled", "retroactive", "crash", "unsampled"

}  // namespace honeylink::telemetry::query
