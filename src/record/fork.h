// fork(): the child records under its own identity. It never writes into its parent's ring, lock or tables of threads;
// what the other threads of the parent were writing is finished there. exec and posix_spawn need nothing; their child
// must not record in between.
#pragma once

namespace honeylink::telemetry::internal {

void install_fork_handlers() noexcept;
/// The child's side, also for children that were made without the handlers (found by their pid, on the slow path). Lock
/// held.
void forget_parent() noexcept;
/// exit() marks the rings as ended in good order: one store, nothing else (I-9).
void install_exit_handler() noexcept;
/// The next ring gets new id keys (rings.cc).
void redraw_keys() noexcept;

}  // namespace honeylink::telemetry::internal
