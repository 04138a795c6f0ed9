// What a process that died left behind: its last spans, those it was in the middle of, its last log lines. From the
// stores, where the engine keeps the last ten seconds of a crash whole; or from the ring itself where no engine has
// come by yet. Whatever leaves a ring passes scrub (I-6). Reads only; one thread.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "query/problem.h"
#include "query/span_view.h"
#include "scrub/scrubber.h"

namespace honeylink::telemetry::query {

struct LastLog {
  std::int64_t time_unix_ns = 0;
  int level = 0;
  std::string event, module, message, trace_id;
  std::vector<NamedJson> fields;
};
struct LastWords {
  std::uint64_t pid = 0;
  std::string service, from;  // from: "store" or "ring"
  std::int64_t started_unix_ns = 0, died_unix_ns = 0;
  std::vector<SpanView> spans;  // by end; unfinished ones are open spans
  std::vector<LastLog> logs;    // by time
};

struct Death {
  std::uint64_t pid = 0, spans = 0, open_spans = 0;
  std::string service;
  std::int64_t started_unix_ns = 0, died_unix_ns = 0;
  bool in_store = false;
  std::array<std::uint8_t, 16> ring_id{};
};

/// Who died, the latest first.
[[nodiscard]] Answer<std::vector<Death>> list_deaths(const std::string& home);
/// `scrub`: what the owner's config adds to the rules for what leaves a ring.
[[nodiscard]] Answer<LastWords> read_last_words(const scrub::ScrubOptions& scrub, const Death& death);

}  // namespace honeylink::telemetry::query
