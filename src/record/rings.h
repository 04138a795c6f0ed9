// Makes the rings of this process: unnamed memory before start(), a file at start(), plain memory where neither can be
// had, and a fresh one in a fork child or when the file was removed. Called on slow paths with the process's lock held.
#pragma once
#include <string>

#include "honeylink/status.h"
#include "record/process.h"

namespace honeylink::telemetry::internal {

/// Thread key, fork and exit handlers, clock source: once per process.
void prepare_process() noexcept;

/// The ring before start(): 256 KB that no tool can see yet (an unnamed file, else plain memory). nullptr: no memory at
/// all.
Ring* make_first_ring() noexcept;

/// A ring file in the process's home, with the resource and everything interned so far; not yet current. nullptr:
/// `error` and `why`. A ring with an error: the home itself cannot be used, so no engine will come to this ring.
Ring* make_file_ring(std::uint64_t bytes, Error& error, std::string& why) noexcept;

/// Plain memory of this process; for when nothing else works.
Ring* make_memory_ring(std::uint64_t bytes) noexcept;

/// Memory behind a descriptor (`fd` of the ring), so that testing::Capture can read it like a file; no tool sees it.
Ring* make_readable_ring(std::uint64_t bytes) noexcept;

/// Lets the tools see a ring that was made unnamed before start(). False: it stays unseen.
bool publish_first_ring(Ring& ring) noexcept;

/// Publishes `ring` as current and tells all threads.
void make_current(Ring* ring) noexcept;

/// Writes the resource of start() into a ring's directory.
bool write_resource(const Ring& ring) noexcept;

}  // namespace honeylink::telemetry::internal
