// See consents.h.
#include "query/consents.h"

#include "base/text.h"
#include "query/json.h"
#include "query/time_text.h"

namespace honeylink::telemetry::query {

std::string_view name_of(consent::State state) noexcept {
  return state == consent::State::valid ? "valid" : state == consent::State::expired ? "expired" : "refused";
}

std::string consents_json(const std::vector<consent::Checked>& all) {
  JsonWriter json;
  json.begin_array();
  for (const consent::Checked& c : all) {
    json.begin_object().key("endpoint").text(c.receipt.endpoint.host.empty() ? "" : c.receipt.endpoint.text());
    json.key("signals").begin_array();
    for (std::size_t i = 0; i < consent::kSignals; ++i)
      if (c.receipt.from_unix_ns[i] >= 0) json.text(consent::kSignalNames[i]);
    json.end_array().key("expires").text(format_utc(c.receipt.expires_unix_ns));
    json.key("state").text(name_of(c.state)).end_object();
  }
  return json.end_array().str();
}

std::vector<std::string> consent_lines(const std::vector<consent::Checked>& all) {
  std::vector<std::string> lines;
  for (const consent::Checked& c : all) {
    const std::string to = terminal_safe(c.receipt.endpoint.host.empty() ? c.path : c.receipt.endpoint.text());
    if (c.state == consent::State::valid)
      lines.push_back(c.receipt.signals_text() + " to " + to + " until " +
                      format_local(c.receipt.expires_unix_ns).substr(0, 19));
    else
      lines.push_back(std::string(name_of(c.state)) + ": " + to + (c.why.empty() ? "" : ": " + terminal_safe(c.why)));
  }
  if (lines.empty()) lines.emplace_back("nothing may leave this device");
  return lines;
}

}  // namespace honeylink::telemetry::query
