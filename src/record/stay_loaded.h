// A plug-in that carries a recorder is not unloaded by dlclose(): threads still call us at their end, the ring's
// mapping and lock would be left behind at every reload, and the next copy would find its home's space for rings used
// up. Called by bind_thread() and start(), before they take the process's lock: the loader's lock comes first.
#pragma once

namespace honeylink::telemetry::internal {

/// Pins the object that this code is part of, once. Nothing to do in a program, or where it is linked statically.
void stay_loaded() noexcept;

}  // namespace honeylink::telemetry::internal
