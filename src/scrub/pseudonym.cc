// See pseudonym.h. The hash is over len(kind) (4 bytes, little-endian) | kind | raw, so that no two pairs share an
// input.
#include "scrub/pseudonym.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <functional>

#include "base/file.h"

namespace honeylink::telemetry::scrub {
namespace {

constexpr std::string_view kDirectory = "/keys", kKeyFile = "/keys/pseudonym.key", kEpochFile = "/keys/pseudonym.epoch";
constexpr std::string_view kHead = "honeylink-pseudonym-key 1 ";  // then 64 hex digits and a line feed
constexpr std::size_t kIdBytes = 16;

std::uint32_t read_epoch(const std::string& home) {
  std::string text, why;
  if (!read_whole(home + std::string(kEpochFile), 16, text, why)) return 0;
  std::uint32_t epoch = 0;
  for (const char c : text) {
    if (c < '0' || c > '9' || epoch > 1'000'000) break;
    epoch = epoch * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return epoch;
}

// 1: read; 0: there is none; -1: there is one that cannot be used (`why`).
int read_key(const std::string& home, std::array<std::uint8_t, Pseudonyms::kKeyBytes>& key, std::string& why) {
  std::string text;
  errno = 0;
  if (!read_whole(home + std::string(kKeyFile), 256, text, why)) return errno == ENOENT ? 0 : -1;
  std::size_t bytes = 0;
  const bool sound = text.size() == kHead.size() + 2 * key.size() + 1 && std::string_view(text).starts_with(kHead) &&
                     sodium_hex2bin(key.data(), key.size(), text.data() + kHead.size(), 2 * key.size(), nullptr, &bytes,
                                    nullptr) == 0 &&
                     bytes == key.size();
  sodium_memzero(text.data(), text.size());
  return sound ? 1 : 0;  // a key that is damaged is a key that is lost
}

}  // namespace

Pseudonyms::Pseudonyms(const std::array<std::uint8_t, kKeyBytes>& key, std::uint32_t epoch, bool made_now)
    : key_(key), epoch_(epoch), made_now_(made_now), cache_(kPairs) {}
Pseudonyms::~Pseudonyms() { sodium_memzero(key_.data(), key_.size()); }

std::unique_ptr<Pseudonyms> Pseudonyms::open_existing(const std::string& home, std::string& why) {
  std::array<std::uint8_t, kKeyBytes> key{};
  if (sodium_init() < 0) return why = "libsodium does not start", nullptr;
  if (read_key(home, key, why) != 1) {
    if (why.empty()) why = "no key yet";
    return nullptr;
  }
  const std::uint32_t epoch = read_epoch(home);
  auto made = std::unique_ptr<Pseudonyms>(new Pseudonyms(key, epoch == 0 ? 1 : epoch, false));
  sodium_memzero(key.data(), key.size());
  return made;
}

std::unique_ptr<Pseudonyms> Pseudonyms::open(const std::string& home, std::string& why) {
  if (auto existing = open_existing(home, why)) return existing;
  std::array<std::uint8_t, kKeyBytes> key{};
  why.clear();
  if (read_key(home, key, why) < 0) return nullptr;
  if (!make_private_directory(home + std::string(kDirectory), why)) return nullptr;
  const std::uint32_t epoch = read_epoch(home) + 1;
  randombytes_buf(key.data(), key.size());
  std::array<char, 2 * kKeyBytes + 1> hex{};
  sodium_bin2hex(hex.data(), hex.size(), key.data(), key.size());
  std::string text = std::string(kHead) + hex.data() + "\n";
  // The epoch first: a crash in between leaves a number skipped, never one used for two keys.
  const bool kept = replace_file(home + std::string(kEpochFile), std::to_string(epoch) + "\n", 0600, why) &&
                    replace_file(home + std::string(kKeyFile), text, 0600, why);
  sodium_memzero(text.data(), text.size());
  sodium_memzero(hex.data(), hex.size());
  if (!kept) return nullptr;
  auto made = std::unique_ptr<Pseudonyms>(new Pseudonyms(key, epoch, true));
  sodium_memzero(key.data(), key.size());
  return made;
}

std::string_view Pseudonyms::hash(std::string_view kind, std::string_view raw) {
  const std::size_t place = std::hash<std::string_view>{}(raw) ^ (std::hash<std::string_view>{}(kind)*31);
  auto& pair = cache_[place % kPairs];
  if (!pair[0].text.empty() && pair[0].raw == raw && pair[0].kind == kind) return ++hits_, pair[0].text;
  std::swap(pair[0], pair[1]);
  if (!pair[0].text.empty() && pair[0].raw == raw && pair[0].kind == kind) return ++hits_, pair[0].text;
  static_assert(crypto_auth_hmacsha256_KEYBYTES == kKeyBytes);
  std::array<std::uint8_t, crypto_auth_hmacsha256_BYTES> full{};
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, key_.data(), key_.size());
  const auto size = static_cast<std::uint32_t>(kind.size());
  const std::uint8_t length[4] = {static_cast<std::uint8_t>(size), static_cast<std::uint8_t>(size >> 8),
                                  static_cast<std::uint8_t>(size >> 16), static_cast<std::uint8_t>(size >> 24)};
  crypto_auth_hmacsha256_update(&state, length, sizeof length);
  crypto_auth_hmacsha256_update(&state, reinterpret_cast<const unsigned char*>(kind.data()), kind.size());
  crypto_auth_hmacsha256_update(&state, reinterpret_cast<const unsigned char*>(raw.data()), raw.size());
  crypto_auth_hmacsha256_final(&state, full.data());
  std::array<char, 2 * kIdBytes + 1> hex{};
  sodium_bin2hex(hex.data(), hex.size(), full.data(), kIdBytes);
  pair[0].kind.assign(kind);
  pair[0].raw.assign(raw);
  pair[0].text.assign(hex.data());
  if (epoch_ > 1) pair[0].text += "@" + std::to_string(epoch_);
  return pair[0].text;
}

}  // namespace honeylink::telemetry::scrub
