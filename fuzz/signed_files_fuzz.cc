// What audit and consent read, with hostile bytes: the first byte says as what the rest is read (a: a file of the audit
// log, line by line; r: a receipt; e: an endpoint). What must stay true: no crash, no limit passed; what nobody signed
// never counts; an endpoint has one form, and plaintext is for this device only.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "audit/chain.h"
#include "consent/receipt.h"

namespace {

namespace audit = honeylink::telemetry::audit;
namespace consent = honeylink::telemetry::consent;

void require(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", promise);
  std::abort();
}

void read_log(std::string_view text) {
  audit::Verification found;
  audit::Chain chain(found);
  chain.expect({"an anchor", 3, {}});
  chain.begin_file("audit.log");
  std::uint64_t number = 0;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    chain.take(text.substr(0, end), ++number);
    text.remove_prefix(end + 1);
  }
  chain.judge_anchors();
  require(found.findings.size() <= audit::kFindingsMax && found.findings.size() <= found.findings_total,
          "bounded findings");
  require(!found.sound(), "an anchor of zeros is nowhere");
}

void read_receipt(std::string_view text) {
  consent::Receipt receipt;
  std::string why;
  // The key of nobody: what it signed does not exist.
  require(!consent::read_receipt(text, {}, receipt, why) && !why.empty(), "nobody's signature counts");
}

void read_endpoint(std::string_view text) {
  std::string why;
  const auto endpoint = consent::parse_endpoint(text, why);
  if (!endpoint) return require(!why.empty(), "a refusal says why");
  const auto again = consent::parse_endpoint(endpoint->text(), why);
  require(again && *again == *endpoint, "an endpoint's text is its own form");
  require(endpoint->tls() || endpoint->loopback(), "plaintext is for this device only");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 'a') read_log(rest);
  else if (data[0] == 'r') read_receipt(rest);
  else read_endpoint(rest);
  return 0;
}
