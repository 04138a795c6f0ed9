// Memory of the recorder that is never given back: whole pages from the kernel, so that nothing here depends on
// malloc's state, on destructors or on the order in which libraries are unloaded. The caller holds the process's lock.
#pragma once
#include <cstddef>
#include <cstdint>

namespace honeylink::telemetry::internal {

/// Zeroed pages; nullptr where there are none.
[[nodiscard]] void* take_pages(std::size_t bytes) noexcept;
/// Zeroed, 8-byte aligned, for small things that live as long as the process.
[[nodiscard]] std::uint8_t* take_bytes(std::size_t bytes) noexcept;

}  // namespace honeylink::telemetry::internal
