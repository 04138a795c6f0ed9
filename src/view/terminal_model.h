// What the terminal view shows, as plain values: what was found in the home (by terminal_source.h, from query), and
// where the reader stands. Drawn by terminal_layout.h, changed by terminal_input.h; nothing here knows a terminal.
//
// Findings are shared and never changed once published; the rest belongs to the thread that draws.
#pragma once
#include <array>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/events.h"
#include "base/messages.h"
#include "query/trace_reader.h"

namespace honeylink::telemetry::view {

inline constexpr std::int64_t kSecondNs = 1'000'000'000;

// ---- what was found

/// Line 1.
struct StatusFacts {
  std::string engine = "none";  // agent, embedded, none
  std::uint64_t engine_pid = 0, programs = 0, in_ring = 0, dropped = 0;
  std::uint64_t accepted = 0;  // of all signals: what a pause counts from
  std::int64_t newest_unix_ns = 0;
};

/// One service level indicator: a panel.
struct LevelCard {
  std::string name, module, unit;
  std::optional<Level> state;  // none: no data
  double value = NAN;
  bool is_ratio = false;
  double quantile = 0.95;
  double yellow = 0, orange = 0, red = 0, objective = 0;
  std::int64_t breaches = 0, breaches_required = 3;
  double budget_left = NAN, burn_1h = NAN, burn_6h = NAN, rate = NAN;  // rate: observations a second
  std::int64_t newest_unix_s = 0;
  std::string trace_id;  // of the worst exemplar, or empty
  std::string flaw;      // why it cannot be judged, or empty
  // The curve: one value a step, NaN where there is none.
  std::int64_t t0_unix_s = 0, step_s = 60;
  std::vector<double> values;
};
struct LevelCards {
  std::vector<LevelCard> cards;  // worst first
};

/// The heatmap of one latency, and its quantiles: the enlarged panel.
struct LevelDetail {
  std::string name;
  std::int64_t t0_unix_s = 0, step_s = 60, window_s = 1800;
  std::vector<double> value, p50, p95, p99;  // by step; a ratio has `value` only
  std::vector<double> bounds;                // upper bounds of the heatmap's rows, ascending
  std::vector<std::uint64_t> heat;           // [column * bounds.size() + row]; columns are steps
  int heat_scale = 0, heat_offset = 0;       // of the sketches that the rows are buckets of
  struct Exemplar {
    std::int64_t time_unix_ns = 0;
    double value = 0;
    std::string trace_id;
  };
  std::vector<Exemplar> exemplars;  // largest first
};

struct TraceTable {
  std::vector<query::TraceSummary> rows;  // newest first
  std::uint64_t total = 0;                // that pass the filter, in the range that was looked at
  std::int64_t since_unix_ns = INT64_MIN;
  std::string problem;
};

/// A trace in the order of its tree, small enough to keep 100,000 spans of.
struct OpenTrace {
  struct Row {
    std::int64_t start_ns = 0, duration_ns = 0, self_ns = 0, critical_ns = 0;  // start: after the trace's
    std::uint32_t name = 0, service = 0, depth = 0, parent = UINT32_MAX;       // name, service: of texts
    query::SpanIdBytes span_id{};
    bool error = false, unfinished = false, orphan = false, last_child = false, has_children = false;
  };
  std::string trace_id;
  std::vector<Row> rows;
  std::vector<std::string> texts;
  std::int64_t start_unix_ns = 0, duration_ns = 0;
  std::size_t slowest = SIZE_MAX;  // where most of the critical path was spent
  std::uint64_t errors = 0;
  std::string problem;
};
/// One span of it with everything it carries, as lines.
struct SpanDetail {
  std::string trace_id, span_id;
  std::vector<std::string> lines;
};

struct LogRow {
  std::int64_t time_unix_ns = 0;
  int level = 0;
  std::string level_word, module, event, text, trace_id;
};
struct LogTable {
  std::uint64_t first = 0;  // the serial number of rows[0]: a row keeps its own as others come and go
  std::vector<std::shared_ptr<const LogRow>> rows;  // oldest first
  bool whole = false;                               // nothing older passes the filter
  std::string problem;
};

struct AlertRow {
  AlertEvent event;
  double toast_ms = NAN, alertmanager_ms = NAN;  // from the evaluation to the receipt
  std::string rule;                              // by which it fired
};
struct AlertTable {
  std::vector<AlertRow> rows;  // newest first
  std::uint64_t total = 0;
  std::string problem;
};

struct Findings {
  std::shared_ptr<const StatusFacts> status;
  std::shared_ptr<const LevelCards> levels;
  std::shared_ptr<const LevelDetail> level;
  std::shared_ptr<const TraceTable> traces;
  std::shared_ptr<const OpenTrace> trace;
  std::shared_ptr<const SpanDetail> span;
  std::shared_ptr<const LogTable> logs;
  std::shared_ptr<const AlertTable> alerts;
};

// ---- where the reader stands

enum class Page : std::uint8_t { levels, level, traces, trace, logs, alerts };
inline constexpr std::size_t kPages = 6;

struct Place {
  std::size_t selected = 0, top = 0;
  bool follows = true;  // the newest, until the reader moves
};

struct ViewState {
  Page page = Page::levels;
  std::vector<Page> behind;  // where Esc leads
  std::array<Place, kPages> places;
  std::array<std::string, kPages> filters;
  std::string level_name;        // of Page::level
  std::int64_t window_s = 1800;  // of Page::level
  std::string trace_id;          // of Page::trace; a prefix will do
  std::string span_id;           // not empty: its details are open
  std::size_t detail_top = 0;
  std::int64_t zoom_from_ns = 0, zoom_to_ns = 0;  // of the trace; 0, 0: all of it
  bool paused = false;
  bool utc = false;  // times in UTC instead of the reader's zone
  std::uint64_t accepted_at_pause = 0;
  std::int64_t paused_at_unix_ns = 0;
  bool help = false;
  std::size_t help_top = 0;
  bool typing = false;  // a filter
  std::string typed;
  std::optional<MessageKey> notice;  // until the next key, and what follows it
  std::string message;
  bool quit = false;

  [[nodiscard]] Place& place() noexcept { return places[static_cast<std::size_t>(page)]; }
  [[nodiscard]] const Place& place() const noexcept { return places[static_cast<std::size_t>(page)]; }
  [[nodiscard]] const std::string& filter() const noexcept { return filters[static_cast<std::size_t>(page)]; }
};

struct Model {
  ViewState state;
  Findings found;
  std::uint64_t accepted_now = 0;  // grows while paused: what is new
  std::int64_t now_unix_ns = 0;
  bool live = true;        // false: a file that nobody writes
  std::string file;        // its name, where not live
  std::string home_words;  // " --home DIR" for the commands that are shown, or nothing
};

}  // namespace honeylink::telemetry::view
