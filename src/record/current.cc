// The current context of a thread: Context::current(), Activation, and the swaps that coroutine.h needs. By value in
// the thread, so that an Activation that ends in the wrong place can leave nothing dangling.
#include <utility>

#include "honeylink/coroutine.h"
#include "honeylink/trace.h"
#include "record/count.h"
#include "record/frame_ops.h"
#include "record/identity.h"
#include "record/shared.h"
#include "record/thread_end.h"

namespace honeylink::telemetry {

using internal::Frame;
using internal::thread;

Context Context::current() noexcept {
  const Frame& frame = thread.current;
  if ((frame.span.flags & internal::kRefValid) == 0 && frame.baggage == nullptr) return {};
  if (frame.baggage != nullptr) internal::shared_acquire(frame.baggage);
  return Context(internal::span_context_of(frame.span, frame.trace_state),
                 internal::ContextAccess::baggage(frame.baggage));
}

Activation::Activation(const Context& context) noexcept : owner_(internal::execution_unit(thread)) {
  Frame frame;
  frame.span = internal::ref_of(context.span());
  frame.trace_state = internal::ContextAccess::shared(context.span().trace_state());
  frame.baggage = internal::ContextAccess::shared(context.baggage());
  if (frame.trace_state != nullptr) frame.span.flags |= internal::kRefWithState;
  internal::acquire(frame);
  previous_ = std::exchange(thread.current, frame);
}

Activation::Activation(const internal::SpanRef& span, const internal::Shared* trace_state) noexcept
    : owner_(internal::execution_unit(thread)) {
  Frame frame{span, trace_state, thread.current.baggage};
  if (trace_state != nullptr) frame.span.flags |= internal::kRefWithState;
  internal::acquire(frame);
  previous_ = std::exchange(thread.current, frame);
}

Activation::~Activation() { internal::leave(previous_, owner_); }

namespace internal {

void acquire(const Frame& frame) noexcept {
  if (frame.trace_state != nullptr) shared_acquire(frame.trace_state);
  if (frame.baggage != nullptr) shared_acquire(frame.baggage);
}

void release_frame(Frame& frame) noexcept {
  if (frame.trace_state != nullptr) shared_release(std::exchange(frame.trace_state, nullptr));
  if (frame.baggage != nullptr) shared_release(std::exchange(frame.baggage, nullptr));
  frame.span = {};
}

void leave(Frame& previous, const void* owner) noexcept {
  Thread& t = thread;
  if (execution_unit(t) != owner) [[unlikely]] {
    release_frame(previous);
    return count_and_say(ProcessCounter::foreign_activation,
                         "a context was left on another thread than the one that entered it; see CoroutineContext", {});
  }
  if (t.current.trace_state != nullptr || t.current.baggage != nullptr) [[unlikely]]
    release_frame(t.current);
  t.current = previous;
}

void release_frame_references(Thread& t) noexcept { release_frame(t.current); }

void copy_current(Frame& to) noexcept {
  to = thread.current;
  acquire(to);
}
void swap_current(Frame& frame) noexcept { std::swap(frame, thread.current); }
const void* swap_owner(const void* owner) noexcept { return std::exchange(thread.owner, owner); }

}  // namespace internal
}  // namespace honeylink::telemetry
