// See identity.h.
#include "record/identity.h"

#include <atomic>
#include <cstring>
#include <new>

#include "base/ids.h"
#include "record/memory.h"
#include "record/process.h"
#include "record/sampler.h"
#include "record/shared.h"

namespace honeylink::telemetry::internal {

const std::uint8_t* current_trace_key() noexcept;  // rings.cc; nullptr: not drawn yet
const std::uint8_t* current_span_key() noexcept;

namespace {

constexpr std::uint32_t kGenerations = 16;  // a chain of forks deeper than this loses the ids of its oldest ancestors

// Expanding a key takes microseconds: each generation's is kept, in a page of its own that is never given back.
constinit std::atomic<const IdCipher*> ciphers[kGenerations]{};

const IdCipher* make_cipher(std::uint32_t generation) noexcept {
  const std::uint8_t* trace = current_trace_key();
  void* memory = trace != nullptr && generation == process.key_generation.load(std::memory_order_relaxed)
                     ? take_pages(sizeof(IdCipher))
                     : nullptr;
  if (memory == nullptr) return nullptr;
  std::array<std::uint8_t, 16> trace_key, span_key;
  std::memcpy(trace_key.data(), trace, 16);
  std::memcpy(span_key.data(), current_span_key(), 16);
  const IdCipher* made = new (memory) IdCipher(trace_key, span_key);
  const IdCipher* first = nullptr;
  return ciphers[generation % kGenerations].compare_exchange_strong(first, made, std::memory_order_acq_rel) ? made
                                                                                                            : first;
}

std::uint64_t big_endian(const std::uint8_t* bytes) noexcept {
  std::uint64_t n = 0;
  for (int i = 0; i < 8; ++i) n = n << 8 | bytes[i];
  return n;
}
void to_big_endian(std::uint64_t n, std::uint8_t* bytes) noexcept {
  for (int i = 7; i >= 0; --i, n >>= 8) bytes[i] = static_cast<std::uint8_t>(n);
}

}  // namespace

const IdCipher* cipher_of(std::uint32_t generation) noexcept {
  const IdCipher* cipher = ciphers[generation % kGenerations].load(std::memory_order_acquire);
  return cipher != nullptr ? cipher : make_cipher(generation);
}

void remember_parent_keys() noexcept {
  const std::uint32_t generation = process.key_generation.load(std::memory_order_relaxed);
  (void)cipher_of(generation);  // the parent's keys are about to be drawn anew
  const std::uint32_t next = (generation + 1) & 0xffffU;
  ciphers[next % kGenerations].store(nullptr, std::memory_order_relaxed);
  process.key_generation.store(next, std::memory_order_relaxed);
}

TraceId trace_id_of(const SpanRef& ref) noexcept {
  TraceId id;
  if ((ref.flags & kRefValid) == 0) return id;
  if ((ref.flags & kRefTraceForeign) != 0) {
    to_big_endian(ref.trace_hi, id.bytes.data());
    to_big_endian(ref.trace_lo, id.bytes.data() + 8);
  } else if (const IdCipher* cipher = cipher_of(ref.key_generation); cipher != nullptr) {
    id.bytes = cipher->trace_id(ref.trace_lo);
  }
  return id;
}

SpanId span_id_of(const SpanRef& ref) noexcept {
  SpanId id;
  if ((ref.flags & kRefValid) == 0) return id;
  if ((ref.flags & kRefSpanForeign) != 0) to_big_endian(ref.span, id.bytes.data());
  else if (const IdCipher* cipher = cipher_of(ref.key_generation); cipher != nullptr)
    id.bytes = cipher->span_id(ref.span);
  return id;
}

SpanContext span_context_of(const SpanRef& ref, const Shared* trace_state) noexcept {
  if ((ref.flags & kRefValid) == 0) return {};
  if (trace_state != nullptr) shared_acquire(trace_state);
  const auto flags =
      static_cast<std::uint8_t>(((ref.flags & kRefKept) != 0 ? 1 : 0) | ((ref.flags & kRefRandom) != 0 ? 2 : 0));
  return {trace_id_of(ref), span_id_of(ref), flags, (ref.flags & kRefRemote) != 0,
          ContextAccess::trace_state(trace_state)};
}

SpanRef ref_of(const SpanContext& context) noexcept {
  SpanRef ref;
  if (!context.is_valid()) return ref;
  ref.flags = kRefValid;
  if (context.is_sampled()) ref.flags |= kRefKept;
  if ((context.trace_flags() & 2) != 0) ref.flags |= kRefRandom;
  const auto generation = static_cast<std::uint16_t>(process.key_generation.load(std::memory_order_relaxed));
  if (!context.is_remote()) {
    std::uint64_t counter = 0;
    const IdCipher* cipher = cipher_of(generation);
    // A counter has an empty upper half: one in 2^64 foreign ids would be taken for ours, and even that one keeps its
    // meaning.
    if (cipher != nullptr && cipher->trace_counter(context.trace_id().bytes, counter)) {
      ref.trace_lo = counter;
      ref.span = cipher->span_counter(context.span_id().bytes);
      ref.key_generation = generation;
      return ref;
    }
  } else {
    ref.flags |= kRefRemote;
  }
  ref.flags |= kRefTraceForeign | kRefSpanForeign;
  ref.trace_hi = big_endian(context.trace_id().bytes.data());
  ref.trace_lo = big_endian(context.trace_id().bytes.data() + 8);
  ref.span = big_endian(context.span_id().bytes.data());
  return ref;
}

void make_foreign_if_older(SpanRef& ref) noexcept {
  if (ref.key_generation == process.key_generation.load(std::memory_order_relaxed)) return;
  const IdCipher* cipher = cipher_of(ref.key_generation);
  if (cipher == nullptr) {
    ref = {};
    return;
  }
  if ((ref.flags & kRefTraceForeign) == 0) {
    const auto id = cipher->trace_id(ref.trace_lo);
    ref.trace_hi = big_endian(id.data());
    ref.trace_lo = big_endian(id.data() + 8);
    ref.flags |= kRefTraceForeign;
  }
  if ((ref.flags & kRefSpanForeign) == 0) {
    ref.span = big_endian(cipher->span_id(ref.span).data());
    ref.flags |= kRefSpanForeign;
  }
  ref.slot = nullptr;
  ref.key_generation = static_cast<std::uint16_t>(process.key_generation.load(std::memory_order_relaxed));
}

}  // namespace honeylink::telemetry::internal
