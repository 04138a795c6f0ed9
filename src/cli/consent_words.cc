// See consent_commands.h: what is said about a receipt, in the owner's language.
#include "base/text.h"
#include "cli/consent_commands.h"
#include "query/time_text.h"
#include "ring/doorbell.h"

namespace honeylink::telemetry::cli {
namespace {

std::string how(const consent::Receipt& r, Language language) {
  if (!r.endpoint.tls()) return std::string(text("consent.plaintext", language));
  std::string words = r.ca_file.empty() ? std::string(text("consent.tls_system", language))
                                        : fill("consent.tls_file", language, {r.ca_file});
  if (r.endpoint.quic()) words = std::string(text("consent.quic", language)) + ", " + words;
  if (!r.pin.empty()) words += "; " + fill("consent.pinned", language, {r.pin});
  if (!r.cert_file.empty()) words += "; " + fill("consent.client_certificate", language, {r.cert_file});
  return words;
}

std::string_view words_of(consent::Signal signal, Language language) {
  switch (signal) {
    case consent::Signal::metrics:
      return text("consent.metrics", language);
    case consent::Signal::traces:
      return text("consent.traces", language);
    case consent::Signal::logs:
      return text("consent.logs", language);
    default:
      return text("consent.alerts", language);
  }
}

}  // namespace

Language language_of(const Call& call) {
  if (call.has("lang")) return telemetry::language_of(call.text("lang"));
  return call.terminal.words.utf8() ? language_of_environment() : Language::en;
}

std::string describe_receipt(const consent::Receipt& r, Language language) {
  std::string lines;
  const auto add = [&](std::string_view name, std::string_view value) {
    lines.append("  ").append(name).append(": ").append(terminal_safe(value)).append("\n");
  };
  add(text("consent.to", language), r.endpoint.text());
  add(text("consent.how", language), how(r, language));
  for (std::size_t i = 0; i < consent::kSignals; ++i) {
    const auto signal = static_cast<consent::Signal>(i);
    if (!r.grants(signal)) continue;
    const std::string from = query::format_local(r.from_unix_ns[i]).substr(0, 19);
    add(text("consent.what", language),
        std::string(words_of(signal, language)) + " (" + fill("consent.recorded_from", language, {from}) + ")");
  }
  const std::int64_t days = (r.expires_unix_ns - r.granted_unix_ns + consent::kDayNs / 2) / consent::kDayNs;
  add(text("consent.when", language),
      fill("consent.until", language, {query::format_local(r.expires_unix_ns), std::to_string(days)}));
  return lines;
}

query::Answer<consent::Endpoint> endpoint_of(const std::string& typed) {
  std::string why;
  if (auto endpoint = consent::parse_endpoint(typed, why)) return *endpoint;
  return usage_problem("'" + typed + "' is no endpoint", why,
                       "write it as https://host:port, h3://host:port or http://127.0.0.1:port");
}

void ring_engine(const std::string& home) {
  std::string why;
  if (ring::BellWord* bell = ring::map_doorbell(home, why)) ring::ring_doorbell(*bell);
}

}  // namespace honeylink::telemetry::cli
