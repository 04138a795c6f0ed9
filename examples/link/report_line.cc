// See report_line.h.
#include "report_line.h"

#include <charconv>

namespace honeylink::link {
namespace {

constexpr std::string_view kStats = "stats", kReady = "ready";

template <class S>
auto fields(S& s) {
  return std::array{&s.sessions_established, &s.sessions_failed, &s.sessions_open,    &s.packets_sent,
                    &s.packets_acknowledged, &s.packets_lost,    &s.qos_offered,      &s.qos_dropped,
                    &s.policy_fetches,       &s.policy_updates,  &s.establish_last_us};
}

// Takes the next word off the front.
std::string_view word(std::string_view& line) noexcept {
  const std::size_t end = line.find(' ');
  const std::string_view out = line.substr(0, end);
  line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
  return out;
}
template <class T>
bool number(std::string_view text, T& out, int base = 10) noexcept {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string to_line(const LinkStats& stats) {
  std::string line(kStats);
  for (const auto* field : fields(stats)) line += ' ' + std::to_string(field->load());
  return line;
}

bool from_line(std::string_view line, LinkStats& stats) noexcept {
  if (word(line) != kStats) return false;
  const auto all = fields(stats);
  std::array<std::uint64_t, std::tuple_size_v<decltype(all)>> values{};
  for (std::uint64_t& value : values) {
    if (!number(word(line), value)) return false;
  }
  if (!line.empty()) return false;
  for (std::size_t i = 0; i < all.size(); ++i) all[i]->store(values[i]);
  return true;
}

std::string hex(const std::array<std::uint8_t, 32>& key) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const std::uint8_t byte : key) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::string to_line(const Peer& peer) {
  return std::string(kReady) + ' ' + std::to_string(peer.relay_port) + ' ' + std::to_string(peer.policy_port) + ' ' +
         hex(peer.public_key);
}

std::optional<Peer> peer_from_line(std::string_view line) {
  Peer peer;
  if (word(line) != kReady || !number(word(line), peer.relay_port) || !number(word(line), peer.policy_port))
    return std::nullopt;
  if (line.size() != 2 * peer.public_key.size() || peer.relay_port == 0 || peer.policy_port == 0) return std::nullopt;
  for (std::size_t i = 0; i < peer.public_key.size(); ++i) {
    if (!number(line.substr(2 * i, 2), peer.public_key[i], 16)) return std::nullopt;
  }
  return peer;
}

}  // namespace honeylink::link
