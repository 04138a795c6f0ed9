// honeytel db stats and db check: nothing is changed.
#include "base/text.h"
#include "cli/db_commands.h"
#include "cli/interrupt.h"
#include "cli/listing.h"
#include "cli/progress.h"
#include "query/db_check.h"
#include "query/db_stats.h"
#include "query/time_text.h"

namespace honeylink::telemetry::cli {
namespace {

Cell moment_or_null(std::int64_t unix_ns) { return unix_ns == 0 ? null_cell() : time_cell(unix_ns); }

std::string rounded(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", value);
  return text;
}

std::string counted(std::uint64_t n, const char* one, const char* many) {
  return query::format_count(n) + ' ' + (n == 1 ? one : many);
}

}  // namespace

int db_stats(Call& call, const std::string& home) {
  const auto stats = query::read_table_stats(home);
  if (!stats.ok()) return report(call.terminal, stats.problem());
  Listing listing({{"store", "store"},
                   {"table", "table"},
                   {"tier", "tier"},
                   {"rows", "rows", true},
                   {"items", "", true},
                   {"unit", ""},
                   {"", "holds", true},
                   {"bytes", "bytes", true},
                   {"bytes_each", "bytes each", true},
                   {"oldest", "oldest"},
                   {"newest", "newest"}});
  for (const query::TableStats& row : stats.value()) {
    const bool counts = !row.unit.empty();
    const bool each = counts && row.items != 0;
    listing.add({text_cell(row.store), text_cell(row.table), row.tier.empty() ? null_cell() : text_cell(row.tier),
                 count_cell(row.rows), counts ? count_cell(row.items) : null_cell(),
                 counts ? text_cell(row.unit) : null_cell(),
                 text_cell(counts ? query::format_count(row.items) + ' ' + row.unit : ""),
                 json_cell(std::to_string(row.bytes), query::format_bytes(row.bytes)),
                 each ? real_cell(row.bytes_each(), rounded(row.bytes_each())) : null_cell(),
                 moment_or_null(row.oldest_unix_ns), moment_or_null(row.newest_unix_ns)});
  }
  listing.print(call, "tables", listing.size());
  return kOk;
}

int db_check(Call& call, const std::string& home) {
  const Interrupt interrupt;
  Progress progress(call.terminal, "checking");
  const auto checked = query::check_stores(home, [&](double share) {
    progress.update(share);
    return !interrupt.asked();
  });
  progress.clear();
  if (!checked.ok()) return report(call.terminal, checked.problem());
  const query::CheckReport& found = checked.value();
  Listing listing(
      {{"store", "store"}, {"where", "where"}, {"what", "what", false, true}, {"oldest", "from"}, {"newest", "to"}});
  for (const query::Damage& damage : found.damages) {
    listing.add({text_cell(damage.store), text_cell(damage.where), text_cell(damage.what, Colour::red),
                 moment_or_null(damage.oldest_unix_ns), moment_or_null(damage.newest_unix_ns)});
  }
  if (call.format() != Format::table || !found.damages.empty()) listing.print(call, "damages", found.damaged);
  const std::string seen = counted(found.databases, "database", "databases") + ", " +
                           counted(found.points, "point", "points") + ", " + counted(found.spans, "span", "spans") +
                           ", " + counted(found.lines, "log line", "log lines") + " looked at: ";
  if (found.damaged != 0) {
    call.terminal.say(seen + counted(found.damaged, "damage", "damages"));
    call.terminal.say(
        "Damage costs what it lies in and nothing else; a broken file is put aside when the engine starts.");
  } else {
    call.terminal.say(seen + (found.interrupted ? "sound so far" : "sound"));
  }
  if (found.interrupted) call.terminal.say("interrupted; nothing was changed");
  return found.interrupted ? kInterrupted : found.damaged != 0 ? kStore : kOk;
}

}  // namespace honeylink::telemetry::cli
