// See fork.h and PROTOCOL 8.
#include "record/fork.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

#include "record/cells.h"
#include "record/process.h"
#include "record/rings.h"
#include "record/sampler.h"
#include "record/series.h"
#include "record/start.h"

namespace honeylink::telemetry::internal {
namespace {

// The lock is held across fork(), so that the child's copy of the tables is whole.
void before_fork() noexcept { pthread_mutex_lock(&process.lock); }
void in_parent() noexcept { pthread_mutex_unlock(&process.lock); }

void in_child() noexcept {
  process.lock = PTHREAD_MUTEX_INITIALIZER;  // its owner may be another thread's ghost
  forget_parent();
}

}  // namespace

void forget_parent() noexcept {
  // Old pointers into the parent's rings stay harmless: private zero pages take their place. The lock page and the
  // doorbell's registration were not inherited (MADV_DONTFORK, and membarrier is per process).
  const std::uint32_t rings = process.ring_count.load(std::memory_order_relaxed);
  for (std::uint32_t i = 0; i < rings; ++i) {
    Ring& ring = *process.rings[i];
    mmap(ring.map.base, ring.map.geometry.file_bytes, PROT_READ | PROT_WRITE,
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
    if (ring.fd >= 0) close(ring.fd);
    ring.fd = -1;
    process.rings[i] = nullptr;
  }
  process.ring_count.store(0, std::memory_order_relaxed);
  process.current.store(nullptr, std::memory_order_relaxed);
  process.gate.fetch_add(1, std::memory_order_relaxed);
  remember_parent_keys();
  redraw_keys();
  process.next_id_block.store(0, std::memory_order_relaxed);
  process.pid.store(static_cast<std::int32_t>(getpid()), std::memory_order_relaxed);
  thread.state = nullptr;
  thread.gate &= kInside;
  thread_cells = {};
  publish_gauge_cells(nullptr);
}

void install_fork_handlers() noexcept {
  pthread_atfork([] { before_fork(); }, [] { in_parent(); }, [] { in_child(); });
}

void install_exit_handler() noexcept {
  std::atexit([] {
    const std::uint32_t rings = process.ring_count.load(std::memory_order_acquire);
    for (std::uint32_t i = 0; i < rings; ++i) process.rings[i]->map.header().clean.store(1, std::memory_order_release);
  });
}

}  // namespace honeylink::telemetry::internal
