// Counters to ids and back, in this process: the keys of today and of the processes it was forked from.
#pragma once
#include <array>
#include <cstdint>

#include "base/ids.h"
#include "honeylink/context.h"
#include "honeylink/internal/frame.h"

namespace honeylink::telemetry::internal {

/// The ids of a generation of keys. nullptr: no key was drawn (nothing was recorded yet), or no memory.
[[nodiscard]] const IdCipher* cipher_of(std::uint32_t generation) noexcept;

/// The 16 and 8 bytes that leave. All zero for an invalid ref.
[[nodiscard]] TraceId trace_id_of(const SpanRef& ref) noexcept;
[[nodiscard]] SpanId span_id_of(const SpanRef& ref) noexcept;
/// The public form, with a reference to the trace state.
[[nodiscard]] SpanContext span_context_of(const SpanRef& ref, const Shared* trace_state) noexcept;

/// The recorder's form of a context: counters where the trace was begun by this process, so that it stores as nothing.
[[nodiscard]] SpanRef ref_of(const SpanContext& context) noexcept;

/// Ids under older keys (a fork child's parents) become raw ones, as ids of any other process.
void make_foreign_if_older(SpanRef& ref) noexcept;

}  // namespace honeylink::telemetry::internal
