// Two quick answers to "is this text clean?" for Scrubber, which asks of nearly every value: nothing in it could be a
// finding or bad UTF-8; or the same bytes were looked at before. A "no" only means that somebody must look.
//
// Must stay true: is_plainly_clean() says yes to nothing that find_hostile() or is_utf8() would object to (tested on
// every byte and length); CleanTexts compares all bytes, never a hash alone.
#pragma once
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace honeylink::telemetry::scrub {

/// Short ASCII without digits and "-./:": every finding needs one of those, or more length.
[[nodiscard]] inline bool is_plainly_clean(std::string_view text) noexcept {
  constexpr std::uint64_t kOnes = 0x0101'0101'0101'0101ULL, kHighs = 0x8080'8080'8080'8080ULL;
  constexpr std::size_t kBytesMax = 39;  // longer text may hide a secret of letters
  // High bit of each byte: it is not ASCII, or lies between '-' and ':', where digits, '.' and '/' are.
  const auto suspicious = [](std::uint64_t word) noexcept {
    const std::uint64_t low = word & ~kHighs;
    return (word | ((low + kOnes * (0x80 - '-')) & ~(low + kOnes * (0x80 - ':' - 1)))) & kHighs;
  };
  const auto load = [&](std::size_t at, std::size_t bytes) noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, bytes);
    return word;
  };
  const std::size_t size = text.size();
  if (size > kBytesMax) return false;
  std::uint64_t found = 0;
  if (size >= 8) {
    for (std::size_t at = 0; at + 8 < size; at += 8) found |= suspicious(load(at, 8));
    found |= suspicious(load(size - 8, 8));
  } else if (size >= 4) {
    found = suspicious(load(0, 4) | load(size - 4, 4) << 32);
  } else {
    for (const char c : text) found |= suspicious(static_cast<std::uint8_t>(c));
  }
  return found == 0;
}

/// Texts that were found clean, as many as fit; a newer one takes the place of an older one. What is clean does not
/// depend on the configuration, so nothing is ever forgotten for another reason. Not thread-safe; one owner.
class CleanTexts {
 public:
  [[nodiscard]] bool contains(std::string_view text) const noexcept {
    if (text.size() < kBytesMin || text.size() > kBytesMax) return false;
    const Entry& entry = entries_[place(text)];
    return entry.size == text.size() && std::memcmp(entry.bytes.data(), text.data(), text.size()) == 0;
  }
  void add(std::string_view text) noexcept {
    if (text.size() < kBytesMin || text.size() > kBytesMax) return;
    Entry& entry = entries_[place(text)];
    entry.size = static_cast<std::uint8_t>(text.size());
    std::memcpy(entry.bytes.data(), text.data(), text.size());
  }

 private:
  static constexpr std::size_t kEntries = 256, kBytesMin = 4, kBytesMax = 63;
  struct Entry {
    std::uint8_t size = 0;
    std::array<char, kBytesMax> bytes{};
  };
  static_assert(sizeof(Entry) == 64);
  static std::size_t place(std::string_view text) noexcept {
    std::uint32_t first, middle, last;
    std::memcpy(&first, text.data(), sizeof first);
    std::memcpy(&middle, text.data() + (text.size() - sizeof middle) / 2, sizeof middle);
    std::memcpy(&last, text.data() + text.size() - sizeof last, sizeof last);
    const std::uint64_t mixed = (std::uint64_t{first} << 32 | last) + std::uint64_t{middle} * 0x9e37'79b9ULL;
    return static_cast<std::size_t>((mixed * 0xbf58'476d'1ce4'e5b9ULL) >> 56);
  }
  static_assert(kEntries == 256);
  std::array<Entry, kEntries> entries_{};
};

}  // namespace honeylink::telemetry::scrub
