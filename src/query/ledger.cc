// The balance: see ledger.h.
#include "query/ledger.h"

#include <fcntl.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/file.h"
#include "query/database.h"
#include "query/json.h"
#include "query/metric_reader.h"
#include "query/paths.h"
#include "query/rings.h"
#include "store/log_state.h"

namespace honeylink::telemetry::query {
namespace {

using LaneCursors = std::map<std::pair<RingId, std::uint32_t>, std::uint64_t>;

// Cursors are kept by lane: slot * 4 + record class (docs/formats/traces_db.md). Slots that no thread has stand for
// other things.
constexpr std::uint32_t kLanesPerSlot = 4;
constexpr std::uint32_t kSlotsMax = 4096;

std::uint64_t to_number(std::string_view digits) noexcept {
  std::uint64_t n = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), n);
  return n;
}

store::Counts counts_of(store::Connection& connection) {
  store::Counts counts;
  constexpr std::string_view kDropped = "dropped.";
  store::Statement rows = connection.prepare("SELECT name, n FROM counts");
  while (rows && rows.step() == SQLITE_ROW) {
    const std::string_view name = rows.text(0);
    if (name == "accepted") counts.accepted = rows.number(1);
    else if (name == "retro_kept") counts.retro_kept = rows.number(1);
    else if (name == "stored") counts.stored = rows.number(1);
    else if (name.starts_with(kDropped)) counts.dropped[std::string(name.substr(kDropped.size()))] = rows.number(1);
  }
  return counts;
}

/// Settled records of one ring: spans from the trace sink's cursors, logs from the log sink's.
std::uint64_t settled(const LaneCursors& cursors, const RingId& ring, bool logs) {
  std::uint64_t sum = 0;
  for (auto at = cursors.lower_bound({ring, 0}); at != cursors.end() && at->first.first == ring; ++at) {
    const std::uint32_t slot = at->first.second / kLanesPerSlot, record_class = at->first.second % kLanesPerSlot;
    const bool is_log = record_class == static_cast<std::uint32_t>(ring::RecordClass::log);
    if (slot < kSlotsMax && record_class < ring::kClasses && is_log == logs) sum += at->second;
  }
  return sum;
}

void add_in_ring(const std::string& home, const LaneCursors& traces, const LaneCursors& logs, Balance& balance) {
  for (const OpenRing& open : open_rings(home)) {
    std::uint64_t accepted[ring::kClasses]{};
    if (!open.reader || !open.reader->same_boot() || !open.reader->read_accepted(accepted)) continue;
    const RingId id = open.reader->source().ring_id;
    const std::uint64_t spans = accepted[0] + accepted[1], done_spans = settled(traces, id, false);
    const std::uint64_t lines = accepted[2], done_lines = settled(logs, id, true);
    balance.spans.in_ring += spans > done_spans ? spans - done_spans : 0;
    balance.logs.in_ring += lines > done_lines ? lines - done_lines : 0;
  }
}

std::optional<Problem> read_traces(const std::string& home, Balance& balance, LaneCursors& cursors) {
  auto opened = open_database(traces_path(home));
  if (!opened.ok())
    return opened.problem().kind == ProblemKind::not_found ? std::nullopt : std::optional(opened.problem());
  store::Connection& connection = opened.value();
  connection.execute("BEGIN");
  balance.spans.counts = counts_of(connection);
  store::Statement rows = connection.prepare("SELECT ring, slot, next FROM cursor");
  int code = SQLITE_DONE;
  while (rows && (code = rows.step()) == SQLITE_ROW) {
    RingId ring{};
    std::memcpy(ring.data(), rows.blob(0).data(), std::min(ring.size(), rows.blob(0).size()));
    cursors[{ring, static_cast<std::uint32_t>(rows.integer(1))}] = rows.number(2);
  }
  if (!rows || code != SQLITE_DONE)
    return database_problem(connection, traces_path(home), "cannot read the ledger of the traces");
  return std::nullopt;
}

void read_logs(const std::string& home, Balance& balance, LaneCursors& cursors) {
  std::string why;
  const Fd file = open_file(logs_directory(home) + "/state", O_RDONLY, 0, why);
  store::LogState state;
  if (!file || !store::read_log_state(file.get(), state)) return;
  balance.logs.counts = state.counts;
  cursors = std::move(state.cursors);
}

/// One row of the ledger's history.
struct Row {
  std::int64_t tick = 0;
  std::uint64_t accepted = 0;
  std::map<std::string, std::uint64_t> dropped;
};

bool read_row(store::Connection& connection, std::string_view order, const std::string& signal, std::int64_t before,
              Row& row) {
  const std::string sql =
      "SELECT tick, accepted, dropped FROM ledger WHERE signal = ?1 AND tick <= ?2 ORDER BY commit_no " +
      std::string(order) + " LIMIT 1";
  store::Statement rows = connection.prepare(sql);
  if (!rows) return false;
  rows.bind(1, std::string_view(signal)).bind(2, before);
  if (rows.step() != SQLITE_ROW) return false;
  row.tick = rows.integer(0), row.accepted = rows.number(1);
  std::vector<JsonMember> members;
  const std::string dropped(rows.text(2));
  if (!read_json_object(dropped, members)) return true;
  for (const auto& [reason, n] : members) row.dropped[reason] = to_number(n);
  return true;
}

// What was sent or given up, out of the engine's own series: exact, whoever led.
std::optional<Problem> add_exports(const std::string& home, std::int64_t since_unix_s, Health& health) {
  auto reader = MetricReader::open(home);
  if (!reader.ok()) return reader.problem();
  SeriesFilter filter;
  filter.name = "telemetry_export_items_total";
  const auto sums = reader.value()->summarize(reader.value()->find(filter), {since_unix_s, INT64_MAX, 10});
  if (!sums.ok()) return sums.problem();
  std::map<std::string, Loss> by_signal;
  for (const SeriesSummary& sum : sums.value()) {
    std::map<std::string, std::string> labels(sum.series.labels.begin(), sum.series.labels.end());
    const auto n = static_cast<std::uint64_t>(sum.all.sum);
    if (n == 0 || labels["result"] == "expired") continue;
    Loss& loss = by_signal.try_emplace(labels["signal"], Loss{labels["signal"], 0, 0, {}}).first->second;
    loss.accepted += n;
    if (labels["result"] == "sent") continue;
    loss.lost += n, loss.reasons[labels["result"]] += n;
  }
  for (auto& [signal, loss] : by_signal) health.exports.push_back(std::move(loss));
  return std::nullopt;
}

}  // namespace

bool is_loss(std::string_view reason) noexcept {
  return reason != "sampled_out" && reason != "policy" && reason != "expired";
}

std::int64_t SignalBalance::error() const noexcept {
  return static_cast<std::int64_t>(counts.accepted + counts.retro_kept - counts.stored - counts.dropped_total() -
                                   in_ring);
}

Answer<Balance> read_balance(const std::string& home) {
  Balance balance;
  LaneCursors traces, logs;
  if (const auto problem = read_traces(home, balance, traces)) return *problem;
  read_logs(home, balance, logs);
  auto metrics = open_database(metrics_path(home));
  if (metrics.ok()) balance.metrics.counts = counts_of(metrics.value());
  else if (metrics.problem().kind != ProblemKind::not_found) return metrics.problem();
  add_in_ring(home, traces, logs, balance);
  balance.spans.counts.accepted += balance.spans.in_ring;
  balance.logs.counts.accepted += balance.logs.in_ring;
  return balance;
}

Answer<Health> read_health(const std::string& home, std::int64_t since_unix_ns) {
  auto opened = open_database(metrics_path(home));
  if (!opened.ok()) return opened.problem();
  Health health;
  const std::int64_t since = since_unix_ns / 1'000'000'000;
  for (const std::string signal : {"metrics", "spans", "logs"}) {
    Row newest, before;
    Loss loss{signal, 0, 0, {}};
    if (read_row(opened.value(), "DESC", signal, INT64_MAX, newest)) {
      health.any = true;
      static_cast<void>(read_row(opened.value(), "DESC", signal, since - 1, before));
      health.from_unix_s = std::max(since, before.tick), health.to_unix_s = std::max(health.to_unix_s, newest.tick);
      loss.accepted = newest.accepted > before.accepted ? newest.accepted - before.accepted : 0;
      for (const auto& [reason, n] : newest.dropped) {
        const std::uint64_t gained = n > before.dropped[reason] ? n - before.dropped[reason] : 0;
        if (gained == 0 || !is_loss(reason)) continue;
        loss.reasons[reason] = gained;
        loss.lost += gained;
      }
    }
    health.signals.push_back(std::move(loss));
  }
  if (const auto problem = add_exports(home, since, health)) return *problem;
  return health;
}

}  // namespace honeylink::telemetry::query
