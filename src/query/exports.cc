// See exports.h.
#include "query/exports.h"

#include "base/file.h"
#include "query/json.h"
#include "query/time_text.h"

namespace honeylink::telemetry::query {

std::string ExportStatus::backlog_text() const {
  if (state.backlog == 0) return "nothing";
  if (signal == "logs") return format_bytes(state.backlog) + " of lines";
  return format_count(state.backlog) + (signal == "traces" ? " spans" : " ticks of points");
}

std::vector<ExportStatus> read_exports(const std::string& home, const std::vector<consent::Checked>& receipts) {
  std::vector<ExportStatus> exports;
  for (const consent::Checked& receipt : receipts) {
    const std::string file = receipt.path.substr(receipt.path.rfind('/') + 1);
    for (const std::string_view signal : consent::kSignalNames) {
      ExportStatus its{receipt.receipt.endpoint.text(), std::string(signal), {}};
      std::string text, why;
      if (!read_whole(store::export_state_path(home, file, signal) + ".acked", store::kExportStateBytesMax, text, why))
        continue;
      if (store::read_export_state(text, its.state)) exports.push_back(std::move(its));
    }
  }
  return exports;
}

std::string exports_json(const std::vector<ExportStatus>& exports) {
  JsonWriter json;
  json.begin_array();
  for (const ExportStatus& its : exports) {
    json.begin_object().key("endpoint").text(its.endpoint).key("signal").text(its.signal);
    for (const auto& [name, member] : store::kExportTotals) json.key(name).count(its.state.totals.*member);
    json.key("lost").count(its.state.totals.lost()).key("backlog").count(its.state.backlog);
    const auto time = [&](const char* key, std::int64_t ns) {
      json.key(key);
      if (ns == 0) json.null();
      else json.text(format_utc(ns));
    };
    time("answered", its.state.answered_unix_ns), time("failing_since", its.state.failing_since_unix_ns);
    json.key("said").text(its.state.said).end_object();
  }
  return json.end_array().str();
}

}  // namespace honeylink::telemetry::query
