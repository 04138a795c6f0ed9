// See thread_end.h. A pthread key instead of a thread_local destructor: it works in any thread and after exit() has
// begun, and runs again (up to PTHREAD_DESTRUCTOR_ITERATIONS times) for records that later destructors make.
#include "record/thread_end.h"

namespace honeylink::telemetry::internal {
namespace {

constinit pthread_key_t key{};
constinit bool key_made = false;

void at_thread_end(void*) noexcept {
  Thread& t = thread;
  const std::uint32_t inside = t.gate & kInside;
  t.gate |= kInside;
  release_slot(t);
  release_frame_references(t);
  t.gate = inside;
}

}  // namespace

void make_thread_key() noexcept {
  key_made = pthread_key_create(&key, [](void* p) { at_thread_end(p); }) == 0;
}

void arm_thread_end() noexcept {
  if (key_made && pthread_getspecific(key) == nullptr) pthread_setspecific(key, &key);
}

}  // namespace honeylink::telemetry::internal
