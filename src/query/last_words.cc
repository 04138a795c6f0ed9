// See last_words.h.
#include "query/last_words.h"

#include <algorithm>
#include <cstring>

#include "query/log_reader.h"
#include "query/ring_view.h"
#include "query/rings.h"
#include "query/trace_reader.h"

namespace honeylink::telemetry::query {
namespace {

constexpr std::int64_t kWindowNs = 10'000'000'000;  // what the engine keeps whole of a crash (DESIGN 5)

void add_ring_deaths(const std::string& home, std::vector<Death>& deaths) {
  for (const OpenRing& open : open_rings(home)) {
    if (!open.reader || open.file.alive || open.reader->live().clean) continue;
    const Source& source = open.reader->source();
    Death death;
    death.pid = source.pid, death.service = source.resource.service_name,
    death.started_unix_ns = source.started_unix_ns;
    death.ring_id = source.ring_id;
    const bool known =
        std::any_of(deaths.begin(), deaths.end(), [&](const Death& d) { return d.ring_id == death.ring_id; });
    if (!known) deaths.push_back(std::move(death));
  }
}

Answer<LastWords> words_from_ring(const scrub::ScrubOptions& options, const Death& death) {
  for (OpenRing& open : open_rings(options.home)) {
    if (!open.reader || open.reader->source().ring_id != death.ring_id) continue;
    LastWords words{death.pid, death.service, "ring", death.started_unix_ns, 0, {}, {}};
    scrub::ScrubOptions reading = options;
    reading.may_make_key = false;
    scrub::Scrubber scrubber(reading);
    read_ring_content(*open.reader, scrubber, words.spans, words.logs);
    return words;
  }
  return Problem{ProblemKind::not_found, "its ring is gone meanwhile", "an engine stored it just now", "ask again"};
}

void add_stored_logs(const std::string& home, LastWords& words) {
  LogFilter filter;
  filter.since_unix_ns = std::max(words.died_unix_ns - kWindowNs, words.started_unix_ns),
  filter.until_unix_ns = words.died_unix_ns + 1'000'000;
  LogLine line;
  for (const LogFile& file : list_log_files(home)) {
    if (file.modified_unix_ns < filter.since_unix_ns) continue;
    static_cast<void>(read_log_file(file, [&](std::string_view raw) {
      if (!passes(raw, filter, line) || line.service != words.service) return true;
      LastLog log{
          line.time_unix_ns, level_number(line.level), line.event, line.module, line.message, line.trace_id, {}};
      for (const auto& [name, value] : line.fields) log.fields.emplace_back(name, std::string(value));
      words.logs.push_back(std::move(log));
      return true;
    }));
  }
}

}  // namespace

Answer<std::vector<Death>> list_deaths(const std::string& home) {
  std::vector<Death> deaths;
  auto reader = TraceReader::open(home);
  if (reader.ok()) {
    const auto crashes = reader.value()->crashes();
    if (!crashes.ok()) return crashes.problem();
    for (const TraceReader::Crash& c : crashes.value())
      deaths.push_back({c.pid, c.spans, c.open_spans, c.service, c.started_unix_ns, c.died_unix_ns, true, c.ring});
  } else if (reader.problem().kind != ProblemKind::not_found) {
    return reader.problem();
  }
  add_ring_deaths(home, deaths);
  std::stable_partition(deaths.begin(), deaths.end(),
                        [](const Death& d) { return !d.in_store; });  // not stored yet: the latest
  return deaths;
}

Answer<LastWords> read_last_words(const scrub::ScrubOptions& options, const Death& death) {
  LastWords words{death.pid, death.service, "store", death.started_unix_ns, death.died_unix_ns, {}, {}};
  if (death.in_store) {
    auto reader = TraceReader::open(options.home);
    if (!reader.ok()) return reader.problem();
    auto spans = reader.value()->spans_of_ring(death.ring_id, death.died_unix_ns - kWindowNs);
    if (!spans.ok()) return spans.problem();
    words.spans = std::move(spans.value());
    add_stored_logs(options.home, words);
  } else {
    auto read = words_from_ring(options, death);
    if (!read.ok()) return read.problem();
    words = std::move(read.value());
    for (const SpanView& span : words.spans) words.died_unix_ns = std::max(words.died_unix_ns, span.end_unix_ns());
    for (const LastLog& log : words.logs) words.died_unix_ns = std::max(words.died_unix_ns, log.time_unix_ns);
  }
  std::stable_sort(words.spans.begin(), words.spans.end(), [](const SpanView& a, const SpanView& b) {
    return a.unfinished != b.unfinished ? !a.unfinished : a.end_unix_ns() < b.end_unix_ns();
  });
  std::stable_sort(words.logs.begin(), words.logs.end(),
                   [](const LastLog& a, const LastLog& b) { return a.time_unix_ns < b.time_unix_ns; });
  return words;
}

}  // namespace honeylink::telemetry::query
