// The process's table of texts: a name is checked and written into the ring's directory once, and is a number from then
// on. Also scopes. The look-up is one probe without a lock; the first use of a name takes the process's lock.
//
// Ids are the same in all rings of the process: a new ring gets the whole table before it becomes current
// (replay_names).
#pragma once
#include <atomic>
#include <cstdint>
#include <string_view>

#include "honeylink/attribute.h"

namespace honeylink::telemetry::internal {

struct Ring;

inline constexpr std::uint32_t kOtherName = 0;               // "_other": the table is full
inline constexpr std::uint32_t kRefusedName = 0xffff'ffffU;  // the name breaks a rule: the record is refused
inline constexpr std::uint32_t kUnknownName = kRefusedName - 1;
// A name that is cut or refused stands in the table under its word with this changed: only intern_slow() finds it,
// which counts every use of it.
inline constexpr std::uint64_t kUnusualWord = std::uint64_t{1} << 55;
enum class NameKind : std::uint8_t {
  name,
  metric,
  key,
  text
};  // text: anything printable or not (descriptions, units)

inline constexpr std::uint32_t kNameTableSize = 16384;  // four times the names: short probes
struct NameEntry {
  std::atomic<std::uint64_t> word;  // release: id is there; 0: free
  std::uint32_t id;
};
[[gnu::visibility("hidden")]] extern constinit NameEntry name_table[kNameTableSize];

[[nodiscard]] inline std::uint32_t name_probe(std::uint64_t word) noexcept {
  return static_cast<std::uint32_t>(word >> 42U) % kNameTableSize;  // the best mixed 14 bits of hash_literal()
}
/// As it is in the table; kUnknownName where it is not there yet.
[[nodiscard]] inline std::uint32_t find_name(std::uint64_t word) noexcept {
  for (std::uint32_t at = name_probe(word);; at = (at + 1) % kNameTableSize) {
    const std::uint64_t there = name_table[at].word.load(std::memory_order_acquire);
    if (there == word) [[likely]]
      return name_table[at].id;
    if (there == 0) return kUnknownName;
  }
}
/// Where a name stands, if no other one took its place: `word` must be compared, `id` read after that.
[[nodiscard]] inline const NameEntry& home_of_name(std::uint64_t word) noexcept { return name_table[name_probe(word)]; }
[[nodiscard]] std::uint32_t intern_slow(std::uint64_t word, std::string_view text, NameKind kind) noexcept;

template <class Rule>
[[nodiscard]] inline std::uint32_t intern(const Literal<Rule>& name, NameKind kind) noexcept {
  const std::uint32_t id = find_name(name.word());
  if (id != kUnknownName) [[likely]]
    return id;
  return intern_slow(name.word(), name.text(), kind);  // counts what is cut or refused, every time
}
/// For texts that are no literals: descriptions, units, versions. The lock is held.
[[nodiscard]] std::uint32_t intern_text_locked(std::string_view text) noexcept;
[[nodiscard]] std::string_view name_text(std::uint32_t id) noexcept;

/// Ids from 1; 0: the table is full. `cached` is the caller's memory of it.
[[nodiscard]] std::uint16_t scope_id_slow(const Scope& scope, std::uint32_t& cached) noexcept;
[[nodiscard]] inline std::uint16_t scope_id(const Scope& scope, std::uint32_t& cached) noexcept {
  const std::uint32_t id = __atomic_load_n(&cached, __ATOMIC_RELAXED);
  return id != 0 ? static_cast<std::uint16_t>(id) : scope_id_slow(scope, cached);
}
[[nodiscard]] std::uint16_t scope_id_locked(const Scope& scope) noexcept;

/// Whether a run-time name obeys its kind's rule (literal.h checks literals in the compiler).
[[nodiscard]] bool is_valid_name(std::string_view text, NameKind kind) noexcept;
/// At most 128 bytes, cut at a character boundary.
[[nodiscard]] std::string_view cut_name(std::string_view text) noexcept;

/// Writes all names and scopes into a new ring. The lock is held.
bool replay_names(const Ring& ring) noexcept;

}  // namespace honeylink::telemetry::internal
