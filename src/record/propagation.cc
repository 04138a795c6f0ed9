// The way of a context into and out of a carrier (propagation.h). Called from application threads, before start() too;
// needs nothing of the recorder. What must stay true: extract(inject(x)) has x's ids, flags, tracestate and baggage; a
// hostile header costs at most one pass over it and a bounded allocation, and never changes the other headers' meaning.
#include "honeylink/propagation.h"

#include <cstdlib>

#include "record/baggage.h"
#include "record/context_text.h"
#include "record/count.h"
#include "record/shared.h"
#include "record/trace_state.h"

namespace honeylink::telemetry {
namespace internal {

static_assert(sizeof(SpanContext) == 40 && sizeof(Context) == 48, "documented in context.h and API.md");

void Extractor::header(std::string_view name, std::string_view value) noexcept {
  if (equal_in_any_case(name, "traceparent")) {
    parent_twice_ = parent_seen_;
    parent_seen_ = true;
    span_ = SpanContext::parse(value);
  } else if (equal_in_any_case(name, "tracestate")) {
    if (!state_malformed_ && !join_trace_state(state_, value)) state_malformed_ = true;
  } else if (equal_in_any_case(name, "baggage")) {
    baggage_ = join_baggage(baggage_, value);
  }
}

Context Extractor::finish(const Context& base) const noexcept {
  const Baggage& baggage = baggage_.size() > 0 ? baggage_ : base.baggage();
  if (parent_twice_ || !span_.is_valid()) return Context(base.span(), baggage);
  if (state_malformed_) count(ProcessCounter::trace_state_refused);
  return Context(SpanContext(span_.trace_id(), span_.span_id(), span_.trace_flags(), true,
                             state_malformed_ ? TraceState() : fit_trace_state(state_)),
                 baggage);
}

void inject(const Context& context, void (*set)(void*, std::string_view, std::string_view), void* carrier) {
  if (context.span().is_valid()) {
    const auto traceparent = context.span().traceparent();
    set(carrier, kPropagationFields[0], {traceparent.data(), traceparent.size()});
    const std::string_view state = context.span().trace_state().header();
    if (!state.empty()) set(carrier, kPropagationFields[1], state);
  }
  const Shared* const baggage = ContextAccess::shared(context.baggage());
  if (baggage != nullptr) set(carrier, kPropagationFields[2], baggage->header());
}

bool is_propagation_field(std::string_view name) noexcept {
  for (const std::string_view field : kPropagationFields) {
    if (equal_in_any_case(name, field)) return true;
  }
  return false;
}

}  // namespace internal

Context context_from_environment() noexcept {
  internal::Extractor extractor;
  for (const char* const name : {"TRACEPARENT", "TRACESTATE", "BAGGAGE"}) {
    if (const char* const value = ::secure_getenv(name); value != nullptr) extractor.header(name, value);
  }
  return extractor.finish(Context());
}

}  // namespace honeylink::telemetry
