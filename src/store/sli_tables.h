// The tables slis, sli_state and alerts, inside MetricStore's transaction. One owner, the store; not thread-safe.
#pragma once
#include <string_view>

#include "store/database.h"
#include "store/sli_rows.h"

namespace honeylink::telemetry::store {

class SliTables {
 public:
  /// SQLite's result code. Files of before this table have no sli_state: it is made here. `commit_no`: of this commit.
  int write(Connection& connection, const SliTick& tick, std::uint64_t commit_no);
  /// The transaction was rolled back, or the connection is going.
  void reset();
  [[nodiscard]] static SavedSlis read(Connection& connection);
  /// Room that a tick takes at the most.
  [[nodiscard]] static std::uint64_t bytes_of(const SliTick& tick) noexcept;

 private:
  bool prepare(Connection& connection);
  int write_row(const SliRow& row);
  int write_alerts(const SliTick& tick);
  int write_untold(const SliTick& tick);
  Statement sli_, state_, forget_sli_, forget_state_, fire_, clear_, deliver_, thin_, meta_;
  bool untold_ = true;  // meta may name some; a new engine says so once more
};

}  // namespace honeylink::telemetry::store
