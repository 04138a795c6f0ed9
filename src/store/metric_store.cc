// See metric_store.h.
#include "store/metric_store.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_map>

#include "base/killpoint.h"
#include "base/text.h"
#include "store/database.h"
#include "store/metric_codec.h"
#include "store/metric_schema.h"
#include "store/metric_store_state.h"
#include "store/salvage.h"
#include "store/segment_blob.h"

namespace honeylink::telemetry::store {
namespace {

constexpr std::int64_t kLedgerFineSeconds = 86'400;  // each tick for a day; before that the ticks of whole hours remain
constexpr std::size_t kSeriesRowBytes = 512;

std::string_view kind_name(MetricType kind) noexcept {
  constexpr std::string_view kNames[] = {"counter", "counter_real", "up_down", "gauge", "histogram"};
  return kNames[static_cast<std::size_t>(kind) % std::size(kNames)];
}

using Pairs = std::vector<std::pair<std::string, std::string>>;
using SeriesRow = MetricStore::State::SeriesRow;

std::string json_object(Pairs pairs) {
  std::sort(pairs.begin(), pairs.end());
  std::string json = "{";
  for (const auto& [key, value] : pairs) {
    if (json.size() > 1) json += ',';
    append_json_string(json, key);
    json += ':';
    append_json_string(json, value);
  }
  return json + "}";
}

Pairs without_empty(Pairs pairs) {
  std::erase_if(pairs, [](const auto& pair) { return pair.second.empty(); });
  return pairs;
}

std::array<std::string, 7> columns_of(const SeriesInfo& series) {
  return {replace_invalid_utf8(series.name),
          std::string(kind_name(series.kind)),
          replace_invalid_utf8(series.unit),
          json_object(series.labels),
          json_object(without_empty(
              {{"service.name", series.service_name}, {"module", series.module}, {"environment", series.environment}})),
          json_object(without_empty({{"name", series.scope_name}, {"version", series.scope_version}})),
          replace_invalid_utf8(series.description)};
}

// The description is not part of a series' identity: a program's new version may word it differently.
std::string identity(const std::array<std::string, 7>& columns) {
  std::string key;
  for (std::size_t i = 0; i + 1 < columns.size(); ++i) key += columns[i] + '\0';
  return key;
}

bool salvage_metrics(Connection& broken, Connection& fresh, const std::function<bool()>& late) {
  if (fresh.execute("BEGIN IMMEDIATE") != SQLITE_OK) return false;
  const bool state =
      copy_rows(broken, fresh, "SELECT key, value FROM meta", "INSERT OR REPLACE INTO meta VALUES(?1, ?2)");
  copy_rows(broken, fresh, "SELECT name, n FROM counts", "INSERT OR REPLACE INTO counts VALUES(?1, ?2)");
  copy_rows(broken, fresh, "SELECT * FROM alerts",
            "INSERT OR REPLACE INTO alerts VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
  copy_rows(broken, fresh, "SELECT * FROM slis",
            "INSERT OR REPLACE INTO slis VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
  if (fresh.execute(kSliStateSchema) == SQLITE_OK)
    copy_rows(broken, fresh, "SELECT * FROM sli_state",
              "INSERT OR REPLACE INTO sli_state VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
  // Points name their series by number: without all of them they would get false names.
  const bool names = copy_rows(broken, fresh, "SELECT * FROM series",
                               "INSERT OR REPLACE INTO series VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
  if (!names) fresh.execute("DELETE FROM series");
  if (names) {
    copy_rows(broken, fresh, "SELECT commit_no, tick, n, data FROM hot ORDER BY commit_no DESC",
              "INSERT OR REPLACE INTO hot VALUES(?1, ?2, ?3, ?4)",
              [&](const Statement& row) { return !late() && MetricBlob(row.blob(3)).sound(); });
    copy_rows(broken, fresh, "SELECT id, tier, \"group\", t0, t1, n, data FROM seg ORDER BY t1 DESC",
              "INSERT OR REPLACE INTO seg VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
              [&](const Statement& row) { return !late() && segment_sound(row.blob(6)); });
  }
  copy_rows(broken, fresh, "SELECT * FROM ledger ORDER BY commit_no DESC",
            "INSERT OR REPLACE INTO ledger VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            [&](const Statement&) { return !late(); });
  return fresh.execute("COMMIT") == SQLITE_OK && state;
}

DatabaseKind metrics_kind(const StoreOptions& options) {
  DatabaseKind kind;
  kind.file = "metrics.db";
  kind.page_bytes = 4096;
  kind.bytes_max = options.metrics_bytes_max;
  kind.schema = kMetricSchema;
  // By time, each key once: the low bits of the row's number and its table stand below the time.
  kind.oldest_rows =
      "SELECT ((t1 << 24) + (id & 8388607)) * 2, length(data), n FROM seg UNION ALL "
      "SELECT ((tick << 24) + (commit_no & 8388607)) * 2 + 1, length(data), n FROM hot ORDER BY 1";
  kind.delete_rows = "DELETE FROM seg WHERE ((t1 << 24) + (id & 8388607)) * 2 <= ?1";
  kind.delete_rows_too = "DELETE FROM hot WHERE ((tick << 24) + (commit_no & 8388607)) * 2 + 1 <= ?1";
  kind.salvage = &salvage_metrics;
  return kind;
}

}  // namespace

bool MetricStore::State::attach() {
  Connection& c = database.connection();
  hot = c.prepare("INSERT INTO hot VALUES(?1, ?2, ?3, ?4)");
  series = c.prepare("INSERT INTO series VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
  meta = c.prepare("INSERT INTO meta VALUES(?1, ?2) ON CONFLICT DO UPDATE SET value=excluded.value");
  ledger_row = c.prepare("INSERT INTO ledger VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
  thin_ledger = c.prepare("DELETE FROM ledger WHERE commit_no >= ?1 AND tick < ?2 AND tick % 3600 >= 10");
  return hot && series && meta && ledger_row && thin_ledger && c.prepare("SELECT alert_id FROM alerts") &&
         c.prepare("SELECT sli_name FROM slis") && load();
}

bool MetricStore::State::load() {
  Connection& c = database.connection();
  sids.clear(), new_series.clear();
  last_ledger = {};
  thinned = thinned_next = 0;
  next_sid = 1;
  Statement rows = c.prepare("SELECT sid, name, kind, unit, labels, resource, scope, description FROM series");
  int result = SQLITE_ROW;
  while (rows && (result = rows.step()) == SQLITE_ROW) {
    SeriesRow row;
    row.sid = static_cast<std::uint32_t>(rows.integer(0));
    for (int i = 0; i < 7; ++i) row.columns[static_cast<std::size_t>(i)] = rows.text(i + 1);
    sids.emplace(identity(row.columns), row.sid);
    next_sid = std::max(next_sid, row.sid + 1);
  }
  // After a quarantine the rows may be gone while the number must go on.
  const std::int64_t newest = c.integer("SELECT max(commit_no) FROM hot", 0);
  commit_no = static_cast<std::uint64_t>(std::max(newest, database.meta("commit_no", 0)));
  retention_clock.begin(database.meta("retention_s", 0));
  upkeep.reset();
  return rows && result == SQLITE_DONE;
}

std::unique_ptr<MetricStore> MetricStore::open(const StoreOptions& options, std::string& said) {
  auto state = std::make_unique<State>(options, metrics_kind(options));
  if (!state->database.open(said)) return nullptr;
  auto store = std::unique_ptr<MetricStore>(new MetricStore(std::move(state)));
  if (store->state_->attach()) return store;
  store->state_->database.refuse(store->path() + ": a table is missing or unreadable");
  return store->recover(said) ? std::move(store) : nullptr;
}

MetricStore::MetricStore(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
MetricStore::~MetricStore() = default;

std::uint64_t MetricStore::begin_epoch() {
  const std::uint64_t epoch = state_->database.begin_epoch();
  return epoch != 0 && state_->load() ? epoch : 0;
}

std::uint32_t MetricStore::series_id(const SeriesInfo& series) {
  SeriesRow row{state_->next_sid, columns_of(series)};
  const auto [known, is_new] = state_->sids.emplace(identity(row.columns), row.sid);
  if (!is_new) return known->second;
  state_->new_series.push_back(std::move(row));
  return state_->next_sid++;
}

BaseSlot MetricStore::base_slot() {
  Database& d = state_->database;
  return {static_cast<int>(d.meta("base_slot", -1)), static_cast<std::uint64_t>(d.meta("base_commit", 0)),
          static_cast<std::uint64_t>(d.meta("base_crc", 0))};
}

std::uint64_t MetricStore::next_commit_no() const noexcept { return state_->commit_no + 1; }
Counts MetricStore::totals() { return state_->database.totals(); }

int MetricStore::State::write_series() {
  for (const SeriesRow& row : new_series) {
    series.bind(1, row.sid);
    for (std::size_t i = 0; i < row.columns.size(); ++i)
      series.bind(static_cast<int>(i) + 2, std::string_view(row.columns[i]));
    if (const int result = series.run(); result != SQLITE_OK) return result;
  }
  return SQLITE_OK;
}

int MetricStore::State::write_ledger(std::uint64_t number, std::int64_t tick, std::string_view signal,
                                     const SignalLedger& ledger, std::string& last) {
  std::string dropped = "{";
  for (const auto& [reason, n] : ledger.totals.dropped) {
    if (dropped.size() > 1) dropped += ',';
    append_json_string(dropped, reason);
    dropped += ':' + std::to_string(n);
  }
  dropped += '}';
  const Counts& t = ledger.totals;
  std::string now = std::to_string(t.accepted) + ' ' + std::to_string(t.retro_kept) + ' ' + std::to_string(t.stored) +
                    ' ' + std::to_string(ledger.in_ring) + dropped;
  if (now == last) return SQLITE_OK;
  last = std::move(now);
  ledger_row.bind(1, number).bind(2, signal).bind(3, tick).bind(4, t.accepted).bind(5, t.retro_kept).bind(6, t.stored);
  return ledger_row.bind(7, std::string_view(dropped)).bind(8, ledger.in_ring).run();
}

int MetricStore::State::thin(std::int64_t before) {
  const int result = thin_ledger.bind(1, thinned).bind(2, before).run();
  Statement last =
      database.connection().prepare("SELECT max(commit_no) FROM ledger WHERE commit_no >= ?1 AND tick < ?2");
  last.bind(1, thinned).bind(2, before);
  if (last && last.step() == SQLITE_ROW && !last.is_null(0)) thinned_next = last.number(0);
  return result;
}

int MetricStore::State::write_rows(std::span<const MetricTick> ticks) {
  int result = write_series();
  std::size_t begin = 0;
  for (std::size_t i = 0; i < ticks.size() && result == SQLITE_OK; ++i) {
    const auto blob = std::span<const std::uint8_t>(blobs).subspan(begin, ends[i] - begin);
    begin = ends[i];
    if (blob.empty()) continue;
    result = hot.bind(1, commit_no + 1 + i)
                 .bind(2, ticks[i].unix_s)
                 .bind(3, static_cast<std::int64_t>(ticks[i].deltas.size()))
                 .bind(4, blob)
                 .run();
  }
  return result;
}

int MetricStore::State::write_ledgers(std::int64_t tick, const LedgerSnapshot& ledger) {
  const std::uint64_t number = commit_no + ends.size();
  written_ledger = last_ledger;
  thinned_next = thinned;
  int result = write_ledger(number, tick, "metrics", ledger.metrics, written_ledger[0]);
  if (result == SQLITE_OK) result = write_ledger(number, tick, "spans", ledger.spans, written_ledger[1]);
  if (result == SQLITE_OK) result = write_ledger(number, tick, "logs", ledger.logs, written_ledger[2]);
  if (result == SQLITE_OK && number % 360 == 0) result = thin(tick - kLedgerFineSeconds);
  return result;
}

CommitResult MetricStore::commit_tick(std::int64_t tick_unix_s, std::span<const MetricDelta> deltas, int new_base_slot,
                                      std::uint64_t base_crc, const Counts& delta, const LedgerSnapshot& ledger,
                                      bool durable, const SliTick* slis) {
  const MetricTick tick{tick_unix_s, deltas};
  return commit_ticks({&tick, 1}, new_base_slot, base_crc, delta, ledger, durable, slis);
}

CommitResult MetricStore::commit_ticks(std::span<const MetricTick> ticks, int new_base_slot, std::uint64_t base_crc,
                                       const Counts& delta, const LedgerSnapshot& ledger, bool durable,
                                       const SliTick* slis) {
  State& s = *state_;
  if (ticks.empty()) return CommitResult::ok;
  s.blobs.clear();
  s.ends.clear();
  for (const MetricTick& tick : ticks) {
    if (!tick.deltas.empty()) encode_tick(tick.unix_s, tick.deltas, s.blobs);
    s.ends.push_back(s.blobs.size());
  }
  killpoint("metric.before_begin");
  const std::uint64_t sli_bytes = slis == nullptr ? 0 : SliTables::bytes_of(*slis);
  CommitResult result = s.database.begin(s.blobs.size() + s.new_series.size() * kSeriesRowBytes + sli_bytes, durable);
  if (result != CommitResult::ok) return result;
  const std::int64_t newest = ticks.back().unix_s;
  const std::uint64_t number = s.commit_no + ticks.size();
  s.retention_clock.follow(newest, s.clock->monotonic_ns());
  const auto set = [&](std::string_view key, std::uint64_t value) {
    return s.meta.bind(1, key).bind(2, value).run() == SQLITE_OK;
  };
  bool written = s.write_rows(ticks) == SQLITE_OK;
  killpoint("metric.after_row");
  written = written && s.write_ledgers(newest, ledger) == SQLITE_OK && set("commit_no", number) &&
            set("base_slot", static_cast<std::uint64_t>(std::int64_t{new_base_slot})) && set("base_commit", number) &&
            set("base_crc", base_crc) && set("retention_s", static_cast<std::uint64_t>(s.retention_clock.now_s())) &&
            s.database.add_counts(delta) == SQLITE_OK;
  killpoint("sli.before_rows");
  written = written && (slis == nullptr || s.slis.write(s.database.connection(), *slis, number) == SQLITE_OK);
  killpoint("sli.after_rows");
  if (written) {
    killpoint("metric.before_commit");
    result = s.database.commit();
  } else {
    result = s.database.fail();
  }
  if (result != CommitResult::ok) return s.slis.reset(), result;  // a table that was made in it is gone with it
  killpoint("metric.after_commit");
  s.commit_no = number;
  s.new_series.clear();
  s.last_ledger = s.written_ledger;
  s.thinned = s.thinned_next;
  return CommitResult::ok;
}

SavedSlis MetricStore::saved_slis() { return SliTables::read(state_->database.connection()); }

void MetricStore::each_series(const std::function<void(const SeriesName&)>& tell) const {
  for (const auto& [key, sid] : state_->sids) {
    std::array<std::string_view, 3> parts;  // the identity begins with name, kind and unit
    std::size_t at = 0;
    for (std::string_view& part : parts) {
      const std::size_t end = key.find('\0', at);
      part = std::string_view(key).substr(at, end - at);
      at = end + 1;
    }
    tell({sid, parts[0], parts[1], parts[2]});
  }
}

bool MetricStore::recover(std::string& said) {
  State& s = *state_;
  s.upkeep.reset();
  s.slis.reset();
  for (Statement* statement : {&s.hot, &s.series, &s.meta, &s.ledger_row, &s.thin_ledger}) *statement = Statement();
  return s.database.recover(said) && s.attach();
}

void MetricStore::checkpoint() { state_->database.checkpoint(); }
std::uint64_t MetricStore::disk_bytes() const { return state_->database.disk_bytes(); }
std::vector<int> MetricStore::holders() const { return state_->database.holders(); }
bool MetricStore::began_anew() const noexcept { return state_->database.began_anew(); }
const std::string& MetricStore::why() const noexcept { return state_->database.why(); }
const std::string& MetricStore::path() const noexcept { return state_->database.path(); }

}  // namespace honeylink::telemetry::store
