// What the doorbell's ordering costs: membarrier once per sleep in the engine, against a fence per record in the writers.
// Only prints. Built and run by run.sh machine.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/membarrier.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long membarrier(int command) { return syscall(SYS_membarrier, command, 0, 0); }

static double now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int by_value(const void* a, const void* b) {
  double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

static void cost(const char* name, int command, int calls) {
  double* took = malloc((size_t)calls * sizeof *took);
  if (took == NULL) exit(2);
  for (int i = 0; i < calls; i++) {
    double begin = now_ns();
    if (membarrier(command) != 0) {
      printf("  %-20s %s\n", name, strerror(errno));
      free(took);
      return;
    }
    took[i] = (now_ns() - begin) / 1e3;
  }
  qsort(took, (size_t)calls, sizeof *took, by_value);
  printf("  %-20s p50 %9.2f us   p99 %9.2f us\n", name, took[calls / 2], took[calls * 99 / 100]);
  free(took);
}

static double per_record(int fence) {
  static _Atomic unsigned committed, bell;
  const unsigned records = 20000000;
  double begin = now_ns();
  for (unsigned i = 0; i < records; i++) {
    atomic_store_explicit(&committed, i, memory_order_release);
    if (fence) atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&bell, memory_order_relaxed)) exit(2);
  }
  return (now_ns() - begin) / records;
}

int main(void) {
  membarrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED);
  for (int busy = 0; busy < 2; busy++) {
    printf("membarrier_cost: %s\n", busy ? "a registered process spins on another core" : "nobody else spins");
    pid_t other = busy ? fork() : -1;
    if (other == 0) {
      membarrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED);
      for (volatile unsigned long i = 0;; i++) {
      }
    }
    cost("GLOBAL", MEMBARRIER_CMD_GLOBAL, 20);
    cost("GLOBAL_EXPEDITED", MEMBARRIER_CMD_GLOBAL_EXPEDITED, 2000);
    if (other > 0) {
      kill(other, SIGKILL);
      waitpid(other, NULL, 0);
    }
  }
  printf("  per record: %.2f ns, with a fence %.2f ns\n", per_record(0), per_record(1));
  return 0;
}
