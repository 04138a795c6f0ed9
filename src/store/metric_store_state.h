// What the files of MetricStore share: the database, its statements, the numbers of series, the work of maintain().
// Included by metric_store*.cc only.
#pragma once
#include <array>
#include <memory>
#include <string_view>
#include <unordered_map>

#include "store/database.h"
#include "store/metric_store.h"
#include "store/retention.h"
#include "store/sli_tables.h"

namespace honeylink::telemetry::store {

struct MetricStore::State {
  struct SeriesRow {
    std::uint32_t sid = 0;
    std::array<std::string, 7> columns;  // name, kind, unit, labels, resource, scope, description
  };

  State(const StoreOptions& options, DatabaseKind kind)
      : database(options, std::move(kind)),
        clock(options.clock != nullptr ? options.clock : &system_clock()),
        bytes_max(options.metrics_bytes_max) {}
  bool attach();
  bool load();
  int write_series();
  int write_ledger(std::uint64_t number, std::int64_t tick, std::string_view signal, const SignalLedger& ledger,
                   std::string& last);
  int thin(std::int64_t before);
  int write_rows(std::span<const MetricTick> ticks);
  int write_ledgers(std::int64_t tick, const LedgerSnapshot& ledger);

  Database database;
  const Clock* clock;
  std::uint64_t bytes_max;
  Statement hot, series, meta, ledger_row, thin_ledger;
  SliTables slis;
  std::unordered_map<std::string, std::uint32_t> sids;
  std::vector<SeriesRow> new_series;
  std::uint32_t next_sid = 1;
  std::uint64_t commit_no = 0;
  std::uint64_t thinned = 0, thinned_next = 0;  // the ledger's rows below are of whole hours already; after this commit
  std::vector<std::uint8_t> blobs;              // of the ticks of a commit, one after the other
  std::vector<std::size_t> ends;
  std::array<std::string, 3> last_ledger, written_ledger;
  RetentionClock retention_clock;
  std::unique_ptr<Retention> upkeep;  // the work in hand; none until maintain() is called
};

}  // namespace honeylink::telemetry::store
