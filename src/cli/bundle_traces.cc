// Spans of a bundle: read through all blocks, written into new ones, so that neither a block nor a dictionary brings
// along what lies outside the period. See bundle_stores.h.
#include <algorithm>
#include <set>

#include "cli/block_maker.h"
#include "cli/bundle_stores.h"
#include "cli/copy_tables.h"
#include "query/database.h"
#include "query/paths.h"
#include "query/trace_reader.h"
#include "store/trace_schema.h"

namespace honeylink::telemetry::cli {
namespace {

bool copy_named(store::Connection& from, store::Connection& to, const char* table, const std::set<std::uint32_t>& ids) {
  return std::all_of(ids.begin(), ids.end(),
                     [&](std::uint32_t id) { return copy_rows(from, to, table, "id = ?1", id); });
}

}  // namespace

std::optional<query::Problem> bundle_traces(const std::string& home, const Period& period, const std::string& to,
                                            const GoOn& go_on, Bundled& bundled) {
  auto opened = query::open_database(query::traces_path(home));
  if (!opened.ok())
    return opened.problem().kind == query::ProblemKind::not_found ? std::nullopt : std::optional(opened.problem());
  auto reader = query::TraceReader::open(home);
  if (!reader.ok()) return reader.problem();
  store::Connection& from = opened.value();
  store::Connection made;
  if (auto problem = make_like(from, to, made)) return problem;
  if (made.execute("INSERT OR IGNORE INTO str VALUES(0, '_unknown')") != SQLITE_OK ||
      made.execute(store::kTraceBlockSchema) != SQLITE_OK)
    return query::database_problem(made, to, "cannot write " + to);
  BlockMaker blocks(made, {}, false);
  bool written = true, stopped = false;
  const auto problem = reader.value()->scan(period.since_unix_ns, period.until_unix_ns,
                                            [&](const store::StoredSpan& span, const query::TraceSource&) {
                                              written = blocks.add(span);
                                              if (++bundled.spans % 4'096 == 0) stopped = !go_on();
                                              return written && !stopped;
                                            });
  if (problem) return *problem;
  if (stopped) return query::Problem{query::ProblemKind::failed, "interrupted", "nothing was made", ""};
  written = written && blocks.flush() && copy_named(from, made, "str", blocks.texts) &&
            copy_named(from, made, "scope", blocks.scopes) && copy_named(from, made, "idkey", blocks.sources) &&
            copy_rows(from, made, "meta", "1") && copy_rows(from, made, "counts", "1") &&
            copy_rows(from, made, "crash", "died BETWEEN ?1 AND ?2", period.since_unix_ns, period.until_unix_ns);
  if (!written || made.execute("COMMIT") != SQLITE_OK)
    return query::database_problem(made, to, "cannot copy the traces");
  return std::nullopt;
}

}  // namespace honeylink::telemetry::cli
