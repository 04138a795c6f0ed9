// Identifiers as they may be kept: HMAC-SHA-256 under a key of this installation, the first 16 bytes as hex (DESIGN 11,
// F49, F50).
//
// The key lies in keys/pseudonym.key (0600, made on first use); beside it pseudonym.epoch counts how many keys this
// home has had. Where the key was lost a new one is made, hashes of it carry "@2" (the epoch), and nothing is ever kept
// raw. `honeytel traces --id` uses the same class to hash what a person types. Not thread-safe; one owner. Key bytes
// are wiped on destruction.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace honeylink::telemetry::scrub {

class Pseudonyms {
 public:
  static constexpr std::size_t kKeyBytes = 32;

  /// Reads the key, or makes it. nullptr and `why` where neither is possible: then ids must be refused, never kept raw.
  [[nodiscard]] static std::unique_ptr<Pseudonyms> open(const std::string& home, std::string& why);
  /// Reads only: nullptr where there is no key yet.
  [[nodiscard]] static std::unique_ptr<Pseudonyms> open_existing(const std::string& home, std::string& why);
  ~Pseudonyms();
  Pseudonyms(const Pseudonyms&) = delete;
  Pseudonyms& operator=(const Pseudonyms&) = delete;

  /// 32 hex digits, then "@N" from the second key on. `kind` is part of the hash. Valid until the next call.
  [[nodiscard]] std::string_view hash(std::string_view kind, std::string_view raw);
  [[nodiscard]] std::uint32_t epoch() const noexcept { return epoch_; }
  [[nodiscard]] bool made_now() const noexcept { return made_now_; }
  [[nodiscard]] std::uint64_t cache_hits() const noexcept { return hits_; }

 private:
  Pseudonyms(const std::array<std::uint8_t, kKeyBytes>& key, std::uint32_t epoch, bool made_now);

  // Two-way, the older of a pair goes: an id that was just seen costs a compare instead of 3 µs.
  struct Entry {
    std::string kind, raw, text;
  };
  static constexpr std::size_t kPairs = 2048;
  std::array<std::uint8_t, kKeyBytes> key_;
  std::uint32_t epoch_;
  bool made_now_;
  std::uint64_t hits_ = 0;
  std::vector<std::array<Entry, 2>> cache_;
};

}  // namespace honeylink::telemetry::scrub
