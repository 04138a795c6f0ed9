// See log_line.h.
#include "store/log_line.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <ctime>

#include "base/items.h"
#include "base/text.h"

namespace honeylink::telemetry::store {
namespace {

constexpr std::int64_t kLastSecond = 253'402'300'799;  // 9999-12-31T23:59:59Z: the format has four digits for a year
constexpr std::size_t kFixedParts = 256;               // braces, names of members, times, ids
constexpr std::size_t kNumberMax = 40;

constexpr auto kPairs = [] {
  std::array<char, 200> pairs{};
  for (std::size_t i = 0; i < 100; ++i)
    pairs[2 * i] = static_cast<char>('0' + i / 10), pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  return pairs;
}();
constexpr char kHex[] = "0123456789abcdef";

char* put(char* at, std::string_view text) noexcept {
  std::memcpy(at, text.data(), text.size());
  return at + text.size();
}
char* put_two(char* at, std::uint32_t n) noexcept {
  std::memcpy(at, &kPairs[2 * n], 2);
  return at + 2;
}
char* put_nine(char* at, std::uint32_t n) noexcept {
  *at++ = static_cast<char>('0' + n / 100'000'000);
  n %= 100'000'000;
  const std::uint32_t high = n / 10'000, low = n % 10'000;
  return put_two(put_two(put_two(put_two(at, high / 100), high % 100), low / 100), low % 100);
}
char* put_hex(char* at, const std::uint8_t* bytes, std::size_t size) noexcept {
  for (std::size_t i = 0; i < size; ++i) *at++ = kHex[bytes[i] >> 4], *at++ = kHex[bytes[i] & 15];
  return at;
}
template <std::size_t N>
std::array<std::uint8_t, N> big_endian(std::uint64_t high, std::uint64_t low) noexcept {
  std::array<std::uint8_t, N> bytes{};
  for (std::size_t i = 0; i < N; ++i)
    bytes[N - 1 - i] = static_cast<std::uint8_t>(i < 8 ? low >> (8 * i) : high >> (8 * (i - 8)));
  return bytes;
}

constexpr std::uint64_t kOnes = 0x0101'0101'0101'0101ULL, kHighs = 0x8080'8080'8080'8080ULL;
constexpr std::uint64_t zero_bytes(std::uint64_t word) noexcept { return (word - kOnes) & ~word & kHighs; }

// Printable ASCII without quote and backslash: may be copied as it is.
bool plain(std::string_view text) noexcept {
  const char* at = text.data();
  std::size_t left = text.size();
  std::uint64_t bad = 0;
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    bad |= (word & kHighs) | ((word - kOnes * 0x20) & ~word & kHighs) | zero_bytes(word ^ (kOnes * '"')) |
           zero_bytes(word ^ (kOnes * '\\')) | zero_bytes(word ^ (kOnes * 0x7f));
  }
  for (; left > 0; ++at, --left) {
    const auto c = static_cast<unsigned char>(*at);
    bad |= static_cast<std::uint64_t>(c < 0x20 || c >= 0x7f || c == '"' || c == '\\');
  }
  return bad == 0;
}

char* put_real(char* at, double value) noexcept {
  if (std::isnan(value)) return put(at, "\"NaN\"");
  if (std::isinf(value)) return put(at, value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
  char* const end = std::to_chars(at, at + kNumberMax, value).ptr;
  // 5 is an integer to whoever reads the line, 5.0 is none.
  const bool whole = std::all_of(at, end, [](char c) { return c == '-' || (c >= '0' && c <= '9'); });
  return whole ? put(end, ".0") : end;
}
char* put_integer(char* at, std::int64_t value) noexcept { return std::to_chars(at, at + kNumberMax, value).ptr; }

template <class T>
T element(std::span<const std::uint8_t> bytes, std::size_t index) noexcept {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof value, sizeof value);
  return value;
}

}  // namespace

std::string_view level_name(std::uint8_t severity) noexcept {
  constexpr std::string_view kNames[] = {"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"};
  return severity >= 1 && severity <= 24 ? kNames[(severity - 1U) / 4] : std::string_view("UNSPECIFIED");
}

void LineBuffer::grow(std::size_t bytes) {
  const std::size_t capacity = std::max(used_ + bytes, capacity_ * 2);
  auto data = std::make_unique_for_overwrite<char[]>(capacity);
  if (used_ != 0) std::memcpy(data.get(), data_.get(), used_);
  data_ = std::move(data);
  capacity_ = capacity;
}

LogLines::Cache& LogLines::cache_of(const Source& source) {
  if (last_ != nullptr && last_serial_ == source.serial) return *last_;
  auto& cache = caches_[source.serial];
  if (cache == nullptr) cache = std::make_unique<Cache>(source);
  last_ = cache.get(), last_serial_ = source.serial;
  return *cache;
}

void LogLines::forget(const RingId& ring) {
  last_ = nullptr;
  std::erase_if(caches_, [&](const auto& entry) { return entry.second->ring == ring; });
}

const std::string& LogLines::head(Cache& cache, const Source& source, std::uint32_t name) {
  const bool known = name < source.texts.size();
  if (known && name < cache.heads.size() && !cache.heads[name].empty()) return cache.heads[name];
  scratch_ = ",\"event\":";
  append_json_string(scratch_, source.text(name));
  const ResourceInfo& its = source.resource;
  scratch_ += ",\"service\":";
  append_json_string(scratch_, its.service_name);
  const std::pair<const char*, const std::string*> rest[] = {
      {",\"version\":", &its.service_version}, {",\"module\":", &its.module}, {",\"environment\":", &its.environment}};
  for (const auto& [member, text] : rest) {
    if (text->empty()) continue;
    scratch_ += member;
    append_json_string(scratch_, *text);
  }
  if (!known) return scratch_;
  if (cache.heads.size() <= name) cache.heads.resize(source.texts.size());
  return cache.heads[name] = scratch_;
}

const std::string& LogLines::key(Cache& cache, const Source& source, std::uint32_t text) {
  const bool known = text < source.texts.size();
  if (known && text < cache.keys.size() && !cache.keys[text].empty()) return cache.keys[text];
  scratch_.clear();
  append_json_string(scratch_, source.text(text));
  scratch_ += ':';
  if (!known) return scratch_;
  if (cache.keys.size() <= text) cache.keys.resize(source.texts.size());
  return cache.keys[text] = scratch_;
}

char* LogLines::times(char* at, std::int64_t unix_ns) {
  const std::int64_t second = std::clamp<std::int64_t>(unix_ns / 1'000'000'000, 0, kLastSecond);
  const auto nanosecond = unix_ns < 0 ? 0U : static_cast<std::uint32_t>(unix_ns % 1'000'000'000);
  if (second != second_) {
    second_ = second;
    const std::time_t time = second;
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    const auto year = static_cast<std::uint32_t>(parts.tm_year + 1900);
    char* to = put_two(put_two(second_text_.data(), year / 100), year % 100);
    const int rest[] = {parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec};
    constexpr char kBefore[] = {'-', '-', 'T', ':', ':'};
    for (std::size_t i = 0; i < 5; ++i) *to++ = kBefore[i], to = put_two(to, static_cast<std::uint32_t>(rest[i]));
    *to = '.';
    second_digits_ = static_cast<std::size_t>(put_integer(second_number_.data(), second) - second_number_.data());
  }
  at = put(at, "{\"timestamp\":\"");
  at = put(at, {second_text_.data(), second_text_.size()});
  at = put_nine(at, nanosecond);
  at = put(at, "Z\",\"time_unix_nano\":\"");
  if (second != 0) {
    at = put_nine(put(at, {second_number_.data(), second_digits_}), nanosecond);
  } else {
    at = put_integer(at, nanosecond);
  }
  return put(at, "\",\"level\":\"");
}

char* LogLines::ids(char* at, Cache& cache, const LogEvent& event) {
  at = put(at, ",\"trace_id\":\"");
  if (event.trace.foreign) {
    at = put_hex(at, big_endian<16>(event.trace.hi, event.trace.lo).data(), 16);
  } else {
    if (!cache.has_trace || cache.trace_counter != event.trace.lo) {
      put_hex(cache.trace_hex.data(), cache.cipher.trace_id(event.trace.lo).data(), 16);
      cache.has_trace = true, cache.trace_counter = event.trace.lo;
    }
    at = put(at, {cache.trace_hex.data(), cache.trace_hex.size()});
  }
  *at++ = '"';
  if (!event.span.present) return at;
  at = put(at, ",\"span_id\":\"");
  if (event.span.foreign) {
    at = put_hex(at, big_endian<8>(0, event.span.value).data(), 8);
  } else {
    if (!cache.has_span || cache.span_counter != event.span.value) {
      put_hex(cache.span_hex.data(), cache.cipher.span_id(event.span.value).data(), 8);
      cache.has_span = true, cache.span_counter = event.span.value;
    }
    at = put(at, {cache.span_hex.data(), cache.span_hex.size()});
  }
  *at++ = '"';
  return at;
}

void LogLines::string(std::string_view text, LineBuffer& to) {
  if (plain(text)) {
    char* at = to.room(text.size() + 2);
    *at++ = '"';
    at = put(at, text);
    *at++ = '"';
    return to.used_to(at);
  }
  scratch_.clear();
  append_json_string(scratch_, text);
  to.used_to(put(to.room(scratch_.size()), scratch_));
}

void LogLines::value(const Source& source, const Item& item, LineBuffer& to) {
  const auto scalar = [&](auto&& write) { to.used_to(write(to.room(kNumberMax))); };
  const auto list = [&](std::size_t count, auto&& write) {
    scalar([](char* at) { return put(at, "["); });
    for (std::size_t i = 0; i < count; ++i) {
      if (i != 0) scalar([](char* at) { return put(at, ","); });
      write(i);
    }
    scalar([](char* at) { return put(at, "]"); });
  };
  switch (item.type) {
    case ItemType::boolean:
      return scalar([&](char* at) { return put(at, item.payload[0] != 0 ? "true" : "false"); });
    case ItemType::integer:
      return scalar([&](char* at) { return put_integer(at, item.as<std::int64_t>()); });
    case ItemType::real:
      return scalar([&](char* at) { return put_real(at, item.as<double>()); });
    case ItemType::text:
      return string(item.text(), to);
    case ItemType::id: {
      const auto raw = item.payload.subspan(2);
      char* at = put(to.room(raw.size() * 2 + 2), "\"");
      return to.used_to(put(put_hex(at, raw.data(), raw.size()), "\""));
    }
    case ItemType::booleans:
      return list(item.payload.size(), [&](std::size_t i) {
        scalar([&](char* at) { return put(at, item.payload[i] != 0 ? "true" : "false"); });
      });
    case ItemType::integers:
      return list(item.payload.size() / 8, [&](std::size_t i) {
        scalar([&](char* at) { return put_integer(at, element<std::int64_t>(item.payload, i)); });
      });
    case ItemType::reals:
      return list(item.payload.size() / 8, [&](std::size_t i) {
        scalar([&](char* at) { return put_real(at, element<double>(item.payload, i)); });
      });
    case ItemType::texts: {
      std::vector<std::string_view> texts;
      for (auto rest = item.payload; rest.size() >= 2;) {
        const std::size_t size = std::min<std::size_t>(element<std::uint16_t>(rest, 0), rest.size() - 2);
        texts.emplace_back(reinterpret_cast<const char*>(rest.data()) + 2, size);
        rest = rest.subspan(2 + size);
      }
      return list(texts.size(), [&](std::size_t i) { string(texts[i], to); });
    }
    default:
      (void)source;
      return scalar([](char* at) { return put(at, "null"); });
  }
}

void LogLines::fields(Cache& cache, const LogEvent& event, LineBuffer& to) {
  to.used_to(put(to.room(16), ",\"fields\":{"));
  ItemCursor cursor(event.items);
  Item item;
  bool first = true;
  while (cursor.next(item)) {
    if (item.type >= ItemType::event) continue;
    const std::string& name = key(cache, *event.source, item.key);
    char* at = to.room(name.size() + 1);
    if (!first) *at++ = ',';
    first = false;
    to.used_to(put(at, name));
    value(*event.source, item, to);
  }
  char* at = put(to.room(64), "}");
  if (event.dropped_attributes != 0) at = put_integer(put(at, ",\"dropped_attributes\":"), event.dropped_attributes);
  to.used_to(put(at, "}\n"));
}

void LogLines::append(const LogEvent& event, LineBuffer& to) {
  const Source& source = *event.source;
  Cache& cache = cache_of(source);
  const std::string& name = head(cache, source, event.name);
  char* at = times(to.room(kFixedParts + name.size()), event.time_unix_ns);
  at = put(at, level_name(event.level));
  *at++ = '"';
  to.used_to(put(at, name));
  ItemCursor cursor(event.items);
  Item item;
  while (cursor.next(item)) {
    if (item.type != ItemType::message) continue;
    to.used_to(put(to.room(16), ",\"message\":"));
    string(item.text(), to);
    break;
  }
  if (event.in_span) to.used_to(ids(to.room(kFixedParts), cache, event));
  if (event.scope < source.scopes.size() && !source.scopes[event.scope].name.empty()) {
    if (cache.scopes.size() <= event.scope) cache.scopes.resize(source.scopes.size());
    std::string& scope = cache.scopes[event.scope];
    if (scope.empty()) {
      scope = ",\"scope\":";
      append_json_string(scope, source.scopes[event.scope].name);
    }
    to.used_to(put(to.room(scope.size()), scope));
  }
  fields(cache, event, to);
}

}  // namespace honeylink::telemetry::store
