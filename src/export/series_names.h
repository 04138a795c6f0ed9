// Who a series is, read from metrics.db's table series. Owned by the thread that sends; dies before its connection.
#pragma once
#include <cstdint>
#include <map>
#include <vector>

#include "base/events.h"
#include "store/sqlite.h"

namespace honeylink::telemetry::exporting {

class SeriesNames {
 public:
  explicit SeriesNames(store::Connection& connection);
  /// nullptr: not there yet; ask again later. Valid as long as this.
  [[nodiscard]] const SeriesInfo* find(std::uint32_t sid);
  /// Every series that there is, ascending.
  [[nodiscard]] std::vector<std::uint32_t> all();

 private:
  store::Connection& connection_;
  store::Statement row_;
  std::map<std::uint32_t, SeriesInfo> known_;
};

}  // namespace honeylink::telemetry::exporting
