// The lost wake-up that doorbell.pml shows, on this processor: a writer publishes and then reads the bell, the engine
// sets the bell, orders, and then reads what is published; lost means that both saw the old value. Two processes.
// A count of losses is chance; the two right ways must show none (exit 1 otherwise). Built and run by run.sh machine.
#define _GNU_SOURCE
#include <linux/membarrier.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum Order { kNoFence, kEngineFence, kBothFence, kMembarrier, kOrders };
static const char* const kNames[kOrders] = {"no fence", "fence in the engine only", "fence in both: right",
                                            "membarrier in the engine, writer registered: right"};
struct Shared {  // a cache line each
  _Alignas(128) _Atomic unsigned go;
  _Alignas(128) _Atomic unsigned published;
  _Alignas(128) _Atomic unsigned bell;
  _Alignas(128) _Atomic unsigned done;
  _Alignas(128) unsigned writer_saw;
};

static void membarrier(int command) { syscall(SYS_membarrier, command, 0, 0); }

static void spin(unsigned count) {
  for (volatile unsigned i = 0; i < count; i++) {
  }
}

static void write_rounds(struct Shared* shared, enum Order order) {
  membarrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED);
  for (unsigned round = 1;; round++) {
    while (atomic_load_explicit(&shared->go, memory_order_acquire) != round) {
    }
    spin(round * 7 % 23);
    atomic_store_explicit(&shared->published, round, memory_order_release);
    if (order == kBothFence) atomic_thread_fence(memory_order_seq_cst);
    shared->writer_saw = atomic_load_explicit(&shared->bell, memory_order_relaxed);
    atomic_store_explicit(&shared->done, round, memory_order_release);
  }
}

static unsigned lost_in(struct Shared* shared, enum Order order, unsigned rounds) {
  unsigned lost = 0;
  for (unsigned round = 1; round <= rounds; round++) {
    atomic_store(&shared->bell, 0);
    atomic_store_explicit(&shared->go, round, memory_order_release);
    spin(round * 5 % 29 + 20);
    atomic_store_explicit(&shared->bell, 1, memory_order_relaxed);
    if (order == kEngineFence || order == kBothFence) atomic_thread_fence(memory_order_seq_cst);
    if (order == kMembarrier) membarrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED);
    bool engine_saw = atomic_load_explicit(&shared->published, memory_order_relaxed) == round;
    while (atomic_load_explicit(&shared->done, memory_order_acquire) != round) {
    }
    lost += !engine_saw && shared->writer_saw == 0;
  }
  return lost;
}

int main(void) {
  int wrong = 0;
  struct Shared* shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return 2;
  printf("store_buffer: lost wake-ups\n");
  for (int order = kNoFence; order < kOrders; order++) {
    memset(shared, 0, sizeof *shared);
    pid_t writer = fork();
    if (writer == 0) write_rounds(shared, (enum Order)order);
    const unsigned rounds = 200000;
    unsigned lost = lost_in(shared, (enum Order)order, rounds);
    kill(writer, SIGKILL);
    waitpid(writer, NULL, 0);
    printf("  %-52s %7u of %u\n", kNames[order], lost, rounds);
    wrong += order >= kBothFence && lost > 0;
  }
  return wrong != 0;
}
