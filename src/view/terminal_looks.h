// The looks that the terminal view takes at a home: each makes one of the findings of terminal_model.h out of what
// query reads. Called by terminal_source.cc's thread only; nothing is written.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "query/log_reader.h"
#include "view/terminal_filter.h"
#include "view/terminal_model.h"

namespace honeylink::telemetry::view {

[[nodiscard]] std::shared_ptr<const StatusFacts> look_at_status(const std::string& home);

/// The newest traces that pass the filter: looks back in longer and longer steps until there are enough of them.
/// `step`: where the last look ended, to begin near it the next time.
[[nodiscard]] std::shared_ptr<const TraceTable> look_at_traces(const std::string& home, const PageFilter& filter,
                                                               std::size_t& step);
[[nodiscard]] std::shared_ptr<const OpenTrace> look_at_trace(const std::string& home, const std::string& trace_id);
[[nodiscard]] std::shared_ptr<const SpanDetail> look_at_span(const std::string& home, const std::string& trace_id,
                                                             const std::string& span_id);

/// The newest lines that pass a filter, and those that come. One per filter.
class LogLook {
 public:
  LogLook(std::string home, const PageFilter& filter);
  /// nullptr: nothing came since the last call.
  [[nodiscard]] std::shared_ptr<const LogTable> look();

 private:
  void read_files();
  void take(std::string_view raw);
  [[nodiscard]] std::shared_ptr<const LogRow> row_of(std::string_view raw);
  const std::string home_;
  query::LogFilter filter_;
  query::LogFollower follower_;
  LogTable table_;
  std::vector<std::size_t> seen_;  // hashes of the newest lines of the files: the follower may bring them again
  bool began_ = false, changed_ = false;
};

}  // namespace honeylink::telemetry::view
