// See rings.h.
#include "record/rings.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <new>

#include "base/file.h"
#include "record/count.h"
#include "record/fork.h"
#include "record/memory.h"
#include "record/names.h"
#include "record/resource.h"
#include "record/series.h"
#include "record/thread_end.h"
#include "record/ticks.h"
#include "ring/home.h"
#include "ring/reader.h"

namespace honeylink::telemetry::internal {
namespace {

constinit ring::BellWord no_bell{0};

// Keys of the process's ids: one pair per process start and per fork, the same for all rings of the process.
struct Keys {
  std::uint8_t trace[16], span[16];
  bool drawn = false;
};
constinit Keys keys{};

void draw(void* to, std::size_t bytes) noexcept {
  auto* at = static_cast<std::uint8_t*>(to);
  while (bytes > 0) {
    const ssize_t got = getrandom(at, bytes, 0);
    if (got <= 0) continue;  // only EINTR can be, for these sizes
    at += got;
    bytes -= static_cast<std::size_t>(got);
  }
}

std::uint64_t process_start_time() noexcept {  // field 22 of /proc/self/stat: after the last ')', the 20th word
  char text[1024];
  const int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  const ssize_t size = read(fd, text, sizeof text - 1);
  close(fd);
  if (size <= 0) return 0;
  text[size] = '\0';
  const char* at = std::strrchr(text, ')');
  for (int words = 0; at != nullptr && words < 20; ++words) at = std::strchr(at + 1, ' ');
  return at != nullptr ? std::strtoull(at + 1, nullptr, 10) : 0;
}

void read_boot_id(std::uint8_t (&id)[16]) noexcept {
  std::memset(id, 0, sizeof id);
  char text[64] = {};
  const int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  const ssize_t size = read(fd, text, sizeof text - 1);
  close(fd);
  std::size_t digits = 0;
  for (ssize_t i = 0; i < size && digits < 32; ++i) {
    const char c = text[i];
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) continue;
    id[digits / 2] = static_cast<std::uint8_t>(id[digits / 2] << 4 | digit);
    ++digits;
  }
}

ring::RingIdentity new_identity() noexcept {
  ring::RingIdentity identity{};
  if (!keys.drawn) {
    draw(keys.trace, sizeof keys.trace);
    draw(keys.span, sizeof keys.span);
    keys.drawn = true;
  }
  draw(identity.ring_id, sizeof identity.ring_id);
  read_boot_id(identity.boot_id);
  std::memcpy(identity.trace_key, keys.trace, sizeof keys.trace);
  std::memcpy(identity.span_key, keys.span, sizeof keys.span);
  identity.pid = static_cast<std::uint64_t>(getpid());
  identity.process_start = process_start_time();
  identity.clock_source = ticks_are_tsc ? ring::ClockSource::tsc : ring::ClockSource::monotonic_ns;
  identity.created = ring::read_clocks(identity.clock_source);
  identity.retroactive_keep = true;
  return identity;
}

// Formats, fills and registers a mapping. The ring is not current yet.
Ring* adopt(void* base, std::uint64_t bytes, const ring::RingIdentity& identity) noexcept {
  const std::uint32_t index = process.ring_count.load(std::memory_order_relaxed);
  if (index == kRingsPerProcess) return nullptr;
  void* memory = take_pages(sizeof(Ring));
  if (memory == nullptr) return nullptr;
  Ring* ring = new (memory) Ring;
  ring->map.base = static_cast<std::uint8_t*>(base);
  ring->map.geometry = ring::plan_ring(bytes);
  ring->map.next_chunk = &ring->next_chunk;
  ring->bell = &no_bell;
  ring->states = static_cast<SlotState*>(take_pages(sizeof(SlotState) * ring->map.geometry.slot_count));
  if (ring->states == nullptr) return nullptr;
  for (std::uint32_t i = 0; i < ring->map.geometry.slot_count; ++i)
    (new (&ring->states[i]) SlotState)->free_slots[0] = nullptr;
  ring::format_ring(ring->map, identity);
  if (!replay_names(*ring) || !write_resource(*ring) || !replay_series(*ring))
    count_and_say(ProcessCounter::names_full,
                  "the ring's directory is too small for the names and series of this process", {});
  process.rings[index] = ring;
  process.ring_count.store(index + 1, std::memory_order_release);
  return ring;
}

void* map_file(int fd, std::uint64_t bytes) noexcept {
  void* base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
  return base == MAP_FAILED ? nullptr : base;
}

void take_over(Ring& ring, ring::NewRing& made) noexcept {
  ring.fd = made.file.release();
  ring.lock_page = made.lock_page;
  std::strncpy(ring.directory, made.directory.c_str(), sizeof ring.directory - 1);
}

}  // namespace

void prepare_process() noexcept {
  const auto pid = static_cast<std::int32_t>(getpid());
  if (process.prepared && process.pid.load(std::memory_order_relaxed) == pid) return;
  if (process.prepared) {  // a child made without fork handlers
    forget_parent();
    return;
  }
  process.prepared = true;
  process.pid.store(pid, std::memory_order_relaxed);
  ticks_are_tsc = detect_clock_source() == ring::ClockSource::tsc;
  make_thread_key();
  install_fork_handlers();
  install_exit_handler();
}

void redraw_keys() noexcept { keys.drawn = false; }
const std::uint8_t* current_trace_key() noexcept { return keys.drawn ? keys.trace : nullptr; }
const std::uint8_t* current_span_key() noexcept { return keys.span; }

Ring* make_memory_ring(std::uint64_t bytes) noexcept {
  void* base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return base == MAP_FAILED ? nullptr : adopt(base, bytes, new_identity());
}

Ring* make_readable_ring(std::uint64_t bytes) noexcept {
  Fd file(memfd_create("honeylink-capture", MFD_CLOEXEC));
  if (!file || ftruncate(file.get(), static_cast<off_t>(bytes)) != 0) return nullptr;
  void* base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  Ring* ring = base != MAP_FAILED ? adopt(base, bytes, new_identity()) : nullptr;
  if (ring != nullptr) ring->fd = file.release();
  return ring;
}

Ring* make_first_ring() noexcept try {
  const ring::RingIdentity identity = new_identity();
  ring::NewRing made;
  std::string why;
  if (ring::make_unnamed_ring(identity.ring_id, kRingBytesMin, made, why) == ring::RingFileError::none) {
    if (void* base = map_file(made.file.get(), kRingBytesMin); base != nullptr) {
      Ring* ring = adopt(base, kRingBytesMin, identity);
      if (ring != nullptr) take_over(*ring, made);
      return ring;
    }
  }
  return make_memory_ring(kRingBytesMin);
} catch (...) { return make_memory_ring(kRingBytesMin); }

Ring* make_file_ring(std::uint64_t bytes, Error& error, std::string& why) noexcept try {
  const ring::RingIdentity identity = new_identity();
  ring::NewRing made;
  std::vector<ring::UnlinkedRing> unlinked;
  auto result = ring::make_ring(*process.home, identity.ring_id, bytes, made, unlinked, why);
  if (result == ring::RingFileError::too_large && bytes > kRingBytesMin) {
    bytes = kRingBytesMin;
    result = ring::make_ring(*process.home, identity.ring_id, bytes, made, unlinked, why);
  }
  if (result != ring::RingFileError::none) {
    error = result == ring::RingFileError::no_directory ? Error::home_unusable : Error::memory_file_failed;
    return nullptr;
  }
  void* base = map_file(made.file.get(), bytes);
  Ring* ring = base != nullptr ? adopt(base, bytes, identity) : nullptr;
  if (ring == nullptr) {
    error = Error::memory_file_failed;
    why = "cannot map the ring file in " + made.directory;
    return nullptr;
  }
  ring::Header& header = ring->map.header();
  for (const ring::UnlinkedRing& gone : unlinked) {
    const std::uint64_t n = header.unlinked_count.load(std::memory_order_relaxed);
    if (n == ring::kUnlinkedRings) break;
    header.unlinked[n] = gone;
    header.unlinked_count.store(n + 1, std::memory_order_release);
  }
  if (!ring::publish_ring(*process.home, identity.ring_id, made, why)) {
    error = Error::memory_file_failed;
    return nullptr;
  }
  take_over(*ring, made);
  ring->has_file = true;
  if (ring::BellWord* bell = ring::map_doorbell(*process.home, why); bell != nullptr) {
    ring::register_for_doorbell();
    ring->bell = bell;
    ring::ring_doorbell(*bell);  // there is a new ring to look at
  } else {
    error = Error::home_unusable;
  }
  return ring;
} catch (...) {
  error = Error::memory_file_failed;
  return nullptr;
}

bool publish_first_ring(Ring& ring) noexcept try {
  if (ring.fd < 0 || ring.has_file) return false;
  ring::NewRing made;
  made.file = Fd(dup(ring.fd));
  made.directory = ring.directory;
  std::string why;
  if (!ring::publish_ring(*process.home, ring.map.header().ring_id, made, why)) return false;
  ring.has_file = true;
  return true;
} catch (...) { return false; }

void make_current(Ring* ring) noexcept {
  process.current.store(ring, std::memory_order_release);
  publish_gauge_cells(ring);
  process.gate.fetch_add(1, std::memory_order_release);
}

}  // namespace honeylink::telemetry::internal
