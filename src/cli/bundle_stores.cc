// Metrics and logs of a bundle: see bundle_stores.h. Traces: bundle_traces.cc.
#include "cli/bundle_stores.h"

#include <fcntl.h>

#include "base/file.h"
#include "cli/copy_tables.h"
#include "query/database.h"
#include "query/log_reader.h"
#include "query/paths.h"

namespace honeylink::telemetry::cli {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kLedgerBeforeS = 3'600;  // so that the balance of the period has something to start from

std::int64_t floor_s(std::int64_t unix_ns) noexcept { return unix_ns / kSecond - (unix_ns % kSecond < 0 ? 1 : 0); }

/// Files of before this table have none.
bool copy_levels(store::Connection& from, store::Connection& to) {
  return from.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'sli_state'", 0) == 0 ||
         copy_rows(from, to, "sli_state", "1");
}

}  // namespace

std::optional<query::Problem> bundle_metrics(const std::string& home, const Period& period, const std::string& to,
                                             Bundled& bundled) {
  auto opened = query::open_database(query::metrics_path(home));
  if (!opened.ok())
    return opened.problem().kind == query::ProblemKind::not_found ? std::nullopt : std::optional(opened.problem());
  store::Connection& from = opened.value();
  store::Connection made;
  if (from.execute("BEGIN") != SQLITE_OK) return query::database_problem(from, home, "cannot read the metrics");
  if (auto problem = make_like(from, to, made)) return problem;
  const std::int64_t since = floor_s(period.since_unix_ns), until = floor_s(period.until_unix_ns);
  const bool copied = copy_rows(from, made, "meta", "1") && copy_rows(from, made, "counts", "1") &&
                      copy_rows(from, made, "series", "1") && copy_rows(from, made, "alerts", "1") &&
                      copy_rows(from, made, "slis", "1") && copy_levels(from, made) &&
                      copy_rows(from, made, "ledger", "tick BETWEEN ?1 AND ?2",
                                since > INT64_MIN + kLedgerBeforeS ? since - kLedgerBeforeS : since, until) &&
                      copy_rows(from, made, "hot", "tick BETWEEN ?1 AND ?2", since, until) &&
                      copy_rows(from, made, "seg", "t1 > ?1 AND t0 <= ?2", since, until);
  if (!copied || made.execute("COMMIT") != SQLITE_OK)
    return query::database_problem(from.result() == SQLITE_OK ? made : from, to, "cannot copy the metrics");
  bundled.points = static_cast<std::uint64_t>(
      made.integer("SELECT coalesce((SELECT sum(n) FROM hot), 0) + coalesce((SELECT sum(n) FROM seg), 0)", 0));
  return std::nullopt;
}

std::optional<query::Problem> bundle_logs(const std::string& home, const Period& period, const std::string& to,
                                          Bundled& bundled) {
  std::string why;
  const Fd file = open_file(to, O_RDWR | O_CREAT | O_EXCL, 0600, why);
  if (!file) return query::Problem{query::ProblemKind::environment, "cannot write " + to, why, ""};
  std::string held;
  bool written = true;
  const auto flush = [&] {
    written = written && append_exactly(file.get(), held);
    held.clear();
  };
  query::LogFilter filter;
  filter.since_unix_ns = period.since_unix_ns, filter.until_unix_ns = period.until_unix_ns;
  query::LogLine parsed;
  const auto logs = query::hold_log_files(home);
  if (!logs.ok()) return logs.problem();
  for (const query::HeldLog& log : logs.value()) {
    if (log.file.modified_unix_ns < period.since_unix_ns) continue;
    // What of a damaged file can be read is taken; `db check` names the damage.
    static_cast<void>(query::read_log_file(log, [&](std::string_view line) {
      if (!query::passes(line, filter, parsed)) return true;
      held.append(line) += '\n';
      ++bundled.lines;
      if (held.size() > 1'000'000) flush();
      return written;
    }));
  }
  flush();
  if (!written)
    return query::Problem{query::ProblemKind::environment, "cannot write " + to, "the disk takes no more", ""};
  return std::nullopt;
}

}  // namespace honeylink::telemetry::cli
