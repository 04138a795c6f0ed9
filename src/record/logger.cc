// Writes a log record straight into the thread's chunk: no slot, nothing to survive but the finished record.
#include <bit>
#include <cstddef>
#include <cstring>

#include "honeylink/log.h"
#include "record/count.h"
#include "record/frame_ops.h"
#include "record/identity.h"
#include "record/items_writer.h"
#include "record/names.h"
#include "record/plain_items.h"
#include "record/process.h"
#include "record/ticks.h"

namespace honeylink::telemetry::internal {

constinit unsigned char min_log_level = static_cast<unsigned char>(LogLevel::info);

namespace {

// What the record belongs to: the current span, or the caller's.
struct Belongs {
  std::uint8_t flags = 0;
  std::uint64_t trace_hi = 0, trace_lo = 0, span = 0;
};

[[gnu::noinline]] SpanRef ref_of_other(const Thread& t, const LogOptions* options) noexcept {
  SpanRef ref = options != nullptr && options->context != nullptr ? ref_of(options->context->span()) : t.current.span;
  if ((ref.flags & kRefValid) != 0) make_foreign_if_older(ref);
  return ref;
}

inline Belongs belongs(const SpanRef& span) noexcept {
  if ((span.flags & kRefValid) == 0) return {};
  static_assert(kRefTraceForeign == ring::kFlagTraceForeign && kRefSpanForeign == ring::kFlagParentForeign << 2U);
  const unsigned flags = ring::kFlagHasParent | (span.flags & kRefTraceForeign) |
                         (static_cast<unsigned>(span.flags & kRefSpanForeign) >> 2U);
  return {static_cast<std::uint8_t>(flags), span.trace_hi, span.trace_lo, span.span};
}

// The record's head in six words, `tail` from its scope on.
inline void write_head(std::uint8_t* at, std::uint64_t bytes, const Belongs& to, std::uint64_t name, std::uint64_t time,
                       std::uint64_t tail) noexcept {
  static_assert(std::endian::native == std::endian::little && offsetof(ring::LogRecord, scope) == 40 &&
                offsetof(ring::LogRecord, items) == 44);
  const std::uint64_t head =
      bytes | static_cast<std::uint64_t>(ring::RecordType::log) << 16U | std::uint64_t{to.flags} << 24U | name << 32U;
  // One by one: gathered on the stack they would be read back wider than they were written, which takes a wait.
  std::memcpy(at, &head, 8);
  std::memcpy(at + 8, &time, 8);
  std::memcpy(at + 16, &to.trace_hi, 8);
  std::memcpy(at + 24, &to.trace_lo, 8);
  std::memcpy(at + 32, &to.span, 8);
  std::memcpy(at + 40, &tail, 8);
}

struct Body {
  std::uint8_t* end = nullptr;  // nullptr: not all of it fits
  std::uint32_t items = 0, left_out = 0;
};

// Items and message behind the head, up to `limit`.
inline Body write_body(std::uint8_t* at, const std::uint8_t* limit, const Attribute* fields, std::size_t count,
                       std::string_view message) noexcept {
  const WrittenItems written = write_items(at, limit, fields, count);
  if (written.rest != 0) [[unlikely]]
    return {};
  if (message.empty()) [[likely]]
    return {written.end, written.items, written.left_out};
  if (limit - written.end < static_cast<std::ptrdiff_t>(text_bytes(message, kValueBytesMax))) return {};
  return {write_text(written.end, ItemType::message, 0, message, kValueBytesMax), written.items + 1U, written.left_out};
}

// Into a chunk that has room for it all; beyond the largest record the last fields go. nullptr: no chunk.
[[gnu::noinline]] std::uint8_t* write_into_next_chunk(SlotState& s, const Attribute* fields, std::size_t count,
                                                      std::string_view message, Body& body) noexcept {
  std::uint32_t bytes = static_cast<std::uint32_t>(sizeof(ring::LogRecord)) + items_bytes(fields, count) +
                        text_bytes(message, kValueBytesMax) + 8;
  std::size_t fitting = count < kItemsPerRecordMax ? count : kItemsPerRecordMax;
  for (; bytes > kRecordBytesMax && fitting != 0; --fitting) bytes -= item_bytes(fields[fitting - 1].value);
  std::uint8_t* at = reserve(s, bytes & ~7U, ring::RecordClass::log);
  if (at == nullptr) return nullptr;
  body = write_body(at + sizeof(ring::LogRecord), at + (bytes & ~7U), fields, fitting, message);
  body.left_out += static_cast<std::uint32_t>(count - fitting);
  return at;
}

[[gnu::noinline]] void log_slow(const LogSource& source, LogLevel level, EventName name, Attributes fields,
                                const LogOptions* options) noexcept {
  const Entry entry;
  SlotState* s = entry.state();
  if (s == nullptr) return count_unplaced(entry.nested(), ring::RecordClass::log);
  renew_if_empty(entry.current_thread());
  const std::uint32_t id = intern(name, NameKind::name);
  if (id >= kUnknownName) return;
  const std::uint64_t now = ticks_now();
  const std::string_view message = options != nullptr ? options->message : std::string_view{};
  std::uint8_t* at = s->writer.at();
  const std::size_t room = s->writer.room() < kRecordBytesMax ? s->writer.room() : kRecordBytesMax;
  Body body;
  if (room > sizeof(ring::LogRecord))
    body =
        write_body(at + sizeof(ring::LogRecord), at + (room & ~std::size_t{7}), fields.begin(), fields.size(), message);
  if (body.end == nullptr) {
    at = write_into_next_chunk(*s, fields.begin(), fields.size(), message, body);
    if (at == nullptr) return;
  }
  const std::uint64_t dropped = body.left_out != 0 ? count_left_out(body.left_out) : 0;
  Belongs to = belongs(ref_of_other(entry.current_thread(), options));
  const bool given = options != nullptr && options->at.unix_ns != 0;
  if (given) to.flags |= ring::kFlagWallTimes;
  const std::uint32_t bytes = (static_cast<std::uint32_t>(body.end - at) + 7U) & ~7U;
  write_head(at, bytes, to, id, given ? static_cast<std::uint64_t>(options->at.unix_ns) : now,
             scope_id(*source.scope, source.scope_id) | static_cast<std::uint64_t>(level) << 16U | dropped << 24U |
                 std::uint64_t{body.items} << 32U);
  publish(*s, bytes, ring::RecordClass::log);
}

[[gnu::noinline]] void log_whole(const LogSource& source, LogLevel level, EventName name, Attributes fields) noexcept {
  log_slow(source, level, name, fields, nullptr);
}

}  // namespace

// The usual record: within a span of this process or none, plain fields, and surely room in the chunk. Whatever is not
// usual is left to log_slow(), before anything was done. Calls stand at the end only: so nothing need be saved.
void log(const LogSource& source, LogLevel level, EventName name, Attributes fields) noexcept {
  Thread& t = thread;
  const std::uint32_t gate = t.gate, cached_scope = __atomic_load_n(&source.scope_id, __ATOMIC_RELAXED);
  if (!enter_recorder(t)) [[unlikely]]
    return log_whole(source, level, name, fields);
  SlotState* const state = t.state;
  if (state == nullptr) [[unlikely]] {  // a handler forked behind the gate: this is the child
    leave_recorder(t);
    return log_whole(source, level, name, fields);
  }
  SlotState& s = *state;
  const SpanRef& in = t.current.span;
  const NameEntry& named = home_of_name(name.word());
  if (named.word.load(std::memory_order_acquire) == name.word() && s.writer.has_usual_room() && cached_scope != 0 &&
      in.key_generation == process.key_generation.load(std::memory_order_relaxed)) [[likely]] {
    constexpr std::size_t kRoom = ring::ChunkWriter::kUsualRecordMax - 8;
    static_assert(kRoom - sizeof(ring::LogRecord) <= kPlainRoomMax);
    std::uint8_t* const at = s.writer.at();
    const std::uint8_t* const end =
        write_plain_items(at + sizeof(ring::LogRecord), at + kRoom, fields.begin(), fields.size());
    if (end != nullptr) [[likely]] {
      const std::uint32_t bytes = (static_cast<std::uint32_t>(end - at) + 7U) & ~7U;
      write_head(at, bytes, belongs(in), named.id, ticks_now(),
                 cached_scope | static_cast<std::uint64_t>(level) << 16U | std::uint64_t{fields.size()} << 32U);
      s.writer.publish(bytes, ring::RecordClass::log);
      leave_recorder(t, gate);
      return wake_engine(*s.bell);
    }
  }
  leave_recorder(t, gate);
  log_whole(source, level, name, fields);
}

void log_with(const LogSource& source, LogLevel level, EventName name, Attributes fields,
              const LogOptions& options) noexcept {
  log_slow(source, level, name, fields, &options);
}

}  // namespace honeylink::telemetry::internal
