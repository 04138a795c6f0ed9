// See doorbell.h. The orders are those of docs/models/doorbell.pml.
#include "ring/doorbell.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"

namespace honeylink::telemetry::ring {
namespace {

long membarrier(int command) noexcept { return syscall(SYS_membarrier, command, 0U, 0); }

long futex(BellWord& word, int operation, std::uint32_t value, const timespec* until) noexcept {
  return syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), operation, value, until, nullptr,
                 FUTEX_BITSET_MATCH_ANY);
}

}  // namespace

BellWord* map_doorbell(const std::string& home, std::string& why) noexcept try {
  const std::string directory = home + "/run";
  // The home itself first: in somebody else's, or behind a link, nothing is made.
  if (!make_private_directory(home, why) || !make_private_directory(directory, why)) return nullptr;
  const Fd file = open_file(directory + "/doorbell", O_RDWR | O_CREAT, 0600, why);
  if (!file) return nullptr;
  // A sparse page on a full disk would be a SIGBUS at the first store.
  if (const int error = posix_fallocate(file.get(), 0, kPageBytes); error != 0) {
    why = "cannot reserve " + directory + "/doorbell (error " + std::to_string(error) + ")";
    return nullptr;
  }
  void* page = mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (page == MAP_FAILED) {
    why = "cannot map " + directory + "/doorbell";
    return nullptr;
  }
  return static_cast<BellWord*>(page);
} catch (...) { return nullptr; }

void register_for_doorbell() noexcept { membarrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED); }

void ring_doorbell(BellWord& bell) noexcept {
  if (bell.exchange(0, std::memory_order_seq_cst) != 0) futex(bell, FUTEX_WAKE_BITSET, 1, nullptr);
}

void announce_sleep(BellWord& bell) noexcept {
  bell.store(1, std::memory_order_seq_cst);
  if (membarrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED) != 0) {
    // Without it a store may linger in another processor's buffer for far less than this.
    const timespec pause{0, 1'000'000};
    nanosleep(&pause, nullptr);
  }
}

void stay_awake(BellWord& bell) noexcept { bell.store(0, std::memory_order_seq_cst); }

bool sleep_on(BellWord& bell, std::int64_t deadline_ns) noexcept {
  const timespec until{static_cast<time_t>(deadline_ns / 1'000'000'000),
                       static_cast<long>(deadline_ns % 1'000'000'000)};
  futex(bell, FUTEX_WAIT_BITSET, 1, &until);  // absolute, CLOCK_MONOTONIC
  return bell.exchange(0, std::memory_order_seq_cst) == 0;
}

}  // namespace honeylink::telemetry::ring
