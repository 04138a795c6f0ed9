// Lines of the log files (docs/formats/log_files.md) as ExportLogsServiceRequests. Not thread-safe; one owner.
//
// Must stay true: a line that is no log record of ours is refused, never sent half.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "export/otlp_groups.h"

namespace honeylink::telemetry::exporting {

class LogRequest {
 public:
  /// One line, without or with its newline. False: it is no log record, nothing was added.
  [[nodiscard]] bool add(std::string_view line, std::int64_t observed_unix_ns);
  [[nodiscard]] std::size_t records() const noexcept { return groups_.items(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return groups_.bytes(); }
  [[nodiscard]] std::string finish();

 private:
  RequestGroups groups_;
  std::map<std::string, std::uint64_t> keys_;  // of resources and scopes in this request
};

}  // namespace honeylink::telemetry::exporting
