// Life of the block behind TraceState and Baggage (shared.h). Called from every thread that copies a context.
#include "record/shared.h"

#include <new>

namespace honeylink::telemetry::internal {

Shared* shared_allocate(std::size_t pairs, std::size_t text_bytes) noexcept {
  void* const memory = ::operator new(sizeof(Shared) + pairs * sizeof(SharedPair) + text_bytes, std::nothrow);
  if (memory == nullptr) return nullptr;
  auto* const shared = ::new (memory) Shared;
  shared->pairs = static_cast<std::uint32_t>(pairs);
  return shared;
}

void shared_acquire(const Shared* shared) noexcept { shared->references.fetch_add(1, std::memory_order_relaxed); }

void shared_release(const Shared* shared) noexcept {
  // acq_rel: whoever frees it must see that every other holder has finished reading.
  if (shared->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  shared->~Shared();
  ::operator delete(const_cast<Shared*>(shared), std::nothrow);
}

}  // namespace honeylink::telemetry::internal
