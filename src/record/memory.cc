// See memory.h.
#include "record/memory.h"

#include <sys/mman.h>

namespace honeylink::telemetry::internal {
namespace {

constexpr std::size_t kArenaBytes = 256 * 1024;
constinit std::uint8_t* arena = nullptr;
constinit std::size_t arena_left = 0;

}  // namespace

void* take_pages(std::size_t bytes) noexcept {
  void* pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return pages == MAP_FAILED ? nullptr : pages;
}

std::uint8_t* take_bytes(std::size_t bytes) noexcept {
  bytes = (bytes + 7) / 8 * 8;
  if (bytes > kArenaBytes) return static_cast<std::uint8_t*>(take_pages(bytes));
  if (bytes > arena_left) {
    auto* pages = static_cast<std::uint8_t*>(take_pages(kArenaBytes));
    if (pages == nullptr) return nullptr;
    arena = pages;
    arena_left = kArenaBytes;
  }
  std::uint8_t* taken = arena;
  arena += bytes;
  arena_left -= bytes;
  return taken;
}

}  // namespace honeylink::telemetry::internal
