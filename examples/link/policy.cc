// The document and the client's side of policy.h that does not need HTTP: what an answer means.
#include "policy.h"

#include <charconv>

#include "instruments.h"

namespace honeylink::link {
namespace {
bool number(std::string_view text, unsigned low, unsigned high, unsigned& out) noexcept {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && out >= low && out <= high;
}
}  // namespace

std::string to_text(const Policy& policy) {
  return "version: " + std::to_string(policy.version) +
         "\npacket-bytes-max: " + std::to_string(policy.packet_bytes_max) +
         "\nqueue-packets-max: " + std::to_string(policy.queue_packets_max) + "\n";
}

std::optional<Policy> parse_policy(std::string_view text) {
  Policy policy;
  while (!text.empty()) {
    const std::size_t end = text.find('\n'), colon = text.find(": ");
    if (end == std::string_view::npos || colon == std::string_view::npos || colon > end) return std::nullopt;
    const std::string_view name = text.substr(0, colon), value = text.substr(colon + 2, end - colon - 2);
    const bool good = name == "version"             ? number(value, 1, 1'000'000'000, policy.version)
                      : name == "packet-bytes-max"  ? number(value, 64, 1024, policy.packet_bytes_max)
                      : name == "queue-packets-max" ? number(value, 8, 1024, policy.queue_packets_max)
                                                    : false;
    if (!good) return std::nullopt;
    text.remove_prefix(end + 1);
  }
  if (policy.version == 0 || policy.packet_bytes_max == 0 || policy.queue_packets_max == 0) return std::nullopt;
  return policy;
}

std::optional<Policy> PolicyClient::apply(int status, const std::string& etag, const std::string& body,
                                          std::string& error) {
  const std::lock_guard lock(mutex_);
  if (status == 304 && policy_) return policy_;
  const std::optional<Policy> fresh = status == 200 ? parse_policy(body) : std::nullopt;
  if (!fresh) {
    error = status == 200 ? "policy document refused" : "policy server answered " + std::to_string(status);
    return std::nullopt;
  }
  if (policy_ && fresh->version <= policy_->version)
    return policy_;  // two sessions asked at once: the newer answer stays
  policy_ = fresh;
  etag_ = etag;
  stats_.policy_updates.fetch_add(1);
  kPolicyLog.info("policy.updated",
                  {{"version", fresh->version}, {"packet_bytes_max", fresh->packet_bytes_max}, {"etag", etag}});
  return policy_;
}

}  // namespace honeylink::link
