// See names.h. The table is open addressing over the literals' content hashes; it is only added to.
#include "record/names.h"

#include <atomic>
#include <cstring>
#include <span>

#include "base/limits.h"
#include "base/text.h"
#include "record/count.h"
#include "record/memory.h"
#include "record/process.h"

namespace honeylink::telemetry::internal {

constinit NameEntry name_table[kNameTableSize]{};

namespace {

constexpr std::uint32_t kScopesMax = 1024;

struct TextRef {
  const std::uint8_t* bytes;
  std::uint32_t size;
};
struct ScopeRef {
  std::uint32_t name, version, schema_url;
};

constinit TextRef texts[kNamesMax]{};
constinit std::uint32_t text_count = 0;
constinit std::uint32_t entries = 0;
constinit ScopeRef scopes[kScopesMax]{};
constinit std::uint32_t scope_count = 0;

std::span<const std::uint8_t> bytes_of(const auto& value) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(&value), sizeof value};
}

// What the current ring cannot show would be read as "_unknown". Before start() that is a small ring, and what does not
// fit there will fit into the next: it gets its number.
bool fits(std::size_t bytes) noexcept {
  const Ring* current = process.current.load(std::memory_order_relaxed);
  return !process.started || current == nullptr || ring::has_room(current->map, bytes);
}

// Rings of before may be full without a loss: nobody begins a name in them.
void write_to_rings(ring::EntryType type, std::uint32_t id, std::span<const std::uint8_t> bytes) noexcept {
  const std::uint32_t rings = process.ring_count.load(std::memory_order_relaxed);
  for (std::uint32_t i = 0; i < rings; ++i)
    if (!ring::append_entry(process.rings[i]->map, type, 0, 0, id, bytes) &&
        process.rings[i] == process.current.load(std::memory_order_relaxed))
      count(ProcessCounter::names_full);
}

void write_text(std::uint32_t id) noexcept {
  write_to_rings(ring::EntryType::text, id, {texts[id].bytes, texts[id].size});
}

std::uint32_t add_text(std::string_view text) noexcept {
  if (text_count == 0) {  // id 0 is what stands for all that did not fit
    texts[text_count++] = {reinterpret_cast<const std::uint8_t*>("_other"), 6};
    write_text(kOtherName);
  }
  if (text_count == kNamesMax || !fits(text.size())) return kOtherName;
  std::uint8_t* copy = take_bytes(text.size());
  if (copy == nullptr) return kOtherName;
  if (!text.empty()) std::memcpy(copy, text.data(), text.size());
  texts[text_count] = {copy, static_cast<std::uint32_t>(text.size())};
  write_text(text_count);
  return text_count++;
}

std::uint32_t intern_locked(std::uint64_t word, std::string_view text, NameKind kind) noexcept {
  if (const std::uint32_t id = find_name(word); id != kUnknownName) return id;
  if (const std::uint32_t id = find_name(word ^ kUnusualWord); id != kUnknownName) return id;
  std::uint32_t id = kRefusedName;
  if (is_valid_name(text, kind)) id = add_text(cut_name(text));
  if (id == kOtherName) {
    count_and_say(ProcessCounter::names_full,
                  text_count == kNamesMax
                      ? "more than 4,096 names in this process; further ones are recorded as _other"
                      : "no room for more names in this process's ring; further ones are recorded as _other",
                  text);
    return id;  // not entered: the table must not fill with names that have no number
  }
  if (entries >= kNameTableSize / 2) return id;
  if (id == kRefusedName || (kind != NameKind::text && text.size() > kNameBytesMax)) word ^= kUnusualWord;
  std::uint32_t at = name_probe(word);
  while (name_table[at].word.load(std::memory_order_relaxed) != 0) at = (at + 1) % kNameTableSize;
  name_table[at].id = id;
  name_table[at].word.store(word, std::memory_order_release);
  ++entries;
  return id;
}

}  // namespace

bool is_valid_name(std::string_view text, NameKind kind) noexcept {
  if (kind == NameKind::text) return true;
  if (text.empty()) return false;
  if (kind == NameKind::metric) {
    if (text.size() > kNameBytesMax || !is_letter(text.front())) return false;
    for (const char c : text)
      if (!is_letter(c) && !is_digit(c) && c != '.' && c != '_' && c != '-' && c != '/') return false;
    return true;
  }
  for (const char c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  return text.front() != ' ' && text.back() != ' ' && is_utf8(cut_name(text));
}

std::string_view cut_name(std::string_view text) noexcept { return text.substr(0, utf8_cut(text, kNameBytesMax)); }

std::uint32_t intern_slow(std::uint64_t word, std::string_view text, NameKind kind) noexcept {
  if (word == 0) return kRefusedName;
  const Locked locked;
  const std::uint32_t id = intern_locked(word, text, kind);
  if (id == kRefusedName) count_and_say(ProcessCounter::invalid_name, "a name was refused; see honeytel(1), NAMES", {});
  else if (text.size() > kNameBytesMax)
    count_and_say(ProcessCounter::name_cut, "a name is longer than 128 bytes and was cut", cut_name(text));
  return id;
}

std::uint32_t intern_text_locked(std::string_view text) noexcept {
  text = text.substr(0, utf8_cut(text, 1023));  // OpenTelemetry, "Instrument description"
  const std::uint64_t word = hash_literal(text.data(), text.size() < 255 ? text.size() : 255) | 1;
  const std::uint32_t id = intern_locked(word, text, NameKind::text);
  return id == kRefusedName ? kOtherName : id;
}

std::string_view name_text(std::uint32_t id) noexcept {
  return id < text_count ? std::string_view(reinterpret_cast<const char*>(texts[id].bytes), texts[id].size) : "_other";
}

std::uint16_t scope_id_locked(const Scope& scope) noexcept {
  const ScopeRef wanted{intern_text_locked(scope.name()), intern_text_locked(scope.version()),
                        intern_text_locked(scope.schema_url())};
  for (std::uint32_t i = 0; i < scope_count; ++i)
    if (std::memcmp(&scopes[i], &wanted, sizeof wanted) == 0) return static_cast<std::uint16_t>(i + 1);
  if (scope_count == kScopesMax || !fits(sizeof wanted)) return count(ProcessCounter::names_full), std::uint16_t{0};
  scopes[scope_count++] = wanted;
  write_to_rings(ring::EntryType::scope, scope_count, bytes_of(wanted));
  return static_cast<std::uint16_t>(scope_count);
}

std::uint16_t scope_id_slow(const Scope& scope, std::uint32_t& cached) noexcept {
  const Locked locked;
  const std::uint16_t id = scope_id_locked(scope);
  __atomic_store_n(&cached, id, __ATOMIC_RELAXED);
  return id;
}

bool replay_names(const Ring& ring) noexcept {
  bool whole = true;
  for (std::uint32_t id = 0; id < text_count; ++id)
    whole &= ring::append_entry(ring.map, ring::EntryType::text, 0, 0, id, {texts[id].bytes, texts[id].size});
  for (std::uint32_t i = 0; i < scope_count; ++i)
    whole &= ring::append_entry(ring.map, ring::EntryType::scope, 0, 0, i + 1, bytes_of(scopes[i]));
  return whole;
}

}  // namespace honeylink::telemetry::internal
