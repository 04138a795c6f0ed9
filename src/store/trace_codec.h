// The blob of traces.db's table hot: written by TraceStore, read by query, last-words and the fuzzer
// (docs/formats/traces_db.md).
//
// The reader trusts nothing: a checksum first, then every length against what is left. Views point into the blob.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/events.h"
#include "base/items.h"

namespace honeylink::telemetry::store {

/// One stored span; texts are ids of table str, scope of table scope, source of table idkey.
struct StoredSpan {
  std::uint32_t source = 0;  // idkey.id: whose keys turn counters into ids
  TraceRef trace;
  std::uint64_t span = 0;  // counter
  SpanRef parent;
  std::uint32_t name = 0, scope = 0;  // scope 0: none
  std::uint8_t kind = 0, status = 0;
  Kept kept = Kept::sampled;
  bool unfinished = false, keep_trace = false, slow = false, no_slot = false;
  std::int64_t start_unix_ns = 0, duration_ns = 0;
  std::uint32_t dropped_attributes = 0, dropped_events = 0;
  std::span<const std::uint8_t> items;  // for StoredItems
};

/// One attribute, event, link or text of a span. Which fields hold depends on type.
struct StoredItem {
  std::uint32_t key = 0;  // str.id; event: its name; id: see kind
  ItemType type = ItemType::boolean;
  bool boolean = false;
  std::int64_t integer = 0;
  double real = 0;
  std::string_view text;   // text, id (raw bytes of the pseudonym), status_text, trace_state, message, keep_reason
  std::uint32_t kind = 0;  // id: str.id of its kind
  std::span<const std::uint8_t>
      elements;  // booleans u8… · integers i64… · reals f64… · texts {u16 size, bytes}…, little-endian
  std::int64_t time_unix_ns = 0;            // event
  std::array<std::uint8_t, 16> trace_id{};  // link
  std::array<std::uint8_t, 8> span_id{};
  std::uint32_t flags = 0;
  std::span<const std::uint8_t> items;  // event, link: attributes
};

/// Walks over the items of a span (or of an event or link). A value; not thread-safe.
class StoredItems {
 public:
  StoredItems(std::span<const std::uint8_t> bytes, std::int64_t span_start_unix_ns) noexcept
      : rest_(bytes), start_(span_start_unix_ns) {}
  bool next(StoredItem&) noexcept;
  [[nodiscard]] bool damaged() const noexcept { return damaged_; }

 private:
  std::span<const std::uint8_t> rest_;
  std::int64_t start_;
  bool damaged_ = false;
};

/// Splits a blob into spans. A value; not thread-safe; the bytes must outlive it.
class TraceBlob {
 public:
  explicit TraceBlob(std::span<const std::uint8_t> bytes) noexcept;
  /// Spans without a blob's header, never stored and so not checked by a checksum (span_hand_over.h).
  TraceBlob(std::span<const std::uint8_t> spans, std::int64_t base_unix_ns, std::uint32_t count) noexcept
      : rest_(spans), base_(base_unix_ns), count_(count), sound_(true) {}
  /// False: not a blob of this version, or its checksum does not fit.
  [[nodiscard]] bool sound() const noexcept { return sound_; }
  [[nodiscard]] std::uint32_t count() const noexcept { return count_; }
  [[nodiscard]] std::int64_t first_start_unix_ns() const noexcept { return t0_; }
  [[nodiscard]] std::int64_t last_start_unix_ns() const noexcept { return t1_; }
  /// False at the end, or where a span is not whole (damaged()).
  bool next(StoredSpan&) noexcept;
  [[nodiscard]] bool damaged() const noexcept { return damaged_; }

 private:
  std::span<const std::uint8_t> rest_;
  std::int64_t base_ = 0, t0_ = 0, t1_ = 0;
  std::uint32_t count_ = 0, read_ = 0;
  bool sound_ = false, damaged_ = false;
};

/// Turns a ring's text ids into str ids: a table, and what to ask where the table has no entry yet.
struct TextIds {
  static constexpr std::uint32_t kUnresolved = 0xffff'ffffU;
  std::vector<std::uint32_t>* table = nullptr;
  std::uint32_t (*resolve)(void* context, std::uint32_t text) = nullptr;  // fills the table and answers
  void* context = nullptr;
  [[nodiscard]] std::uint32_t operator()(std::uint32_t text) const {
    if (text < table->size() && (*table)[text] != kUnresolved) return (*table)[text];
    return resolve(context, text);
  }
};

/// Builds a blob. Not thread-safe; one owner; its memory is kept for the next blob.
class TraceBlobWriter {
 public:
  void add(const SpanEvent& event, std::uint32_t source, std::uint32_t scope, const TextIds& text);
  [[nodiscard]] std::uint32_t count() const noexcept { return count_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return used_; }
  [[nodiscard]] std::int64_t first_start_unix_ns() const noexcept { return t0_; }
  [[nodiscard]] std::int64_t last_start_unix_ns() const noexcept { return t1_; }
  /// Completes the header; valid until the next add() or clear(). More spans may follow.
  [[nodiscard]] std::span<const std::uint8_t> finish() noexcept;
  void clear() noexcept { used_ = 0, count_ = 0; }
  /// The spans alone, from an offset into them on; valid until the next add() or clear().
  [[nodiscard]] std::span<const std::uint8_t> spans_from(std::size_t offset) const noexcept;
  [[nodiscard]] std::int64_t base_unix_ns() const noexcept { return base_; }

 private:
  std::vector<std::uint8_t> buffer_;
  std::size_t used_ = 0;
  std::uint32_t count_ = 0;
  std::int64_t base_ = 0, t0_ = 0, t1_ = 0;
};

}  // namespace honeylink::telemetry::store
