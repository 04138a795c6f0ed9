// Named places at which a test may kill the process, between the steps that must not half-happen. Called by store and
// engine; enumerated by the kill tests. Compiled to nothing without HONEYLINK_KILLPOINTS.
//
// HONEYLINK_KILLPOINT=name[:n] in the environment raises SIGKILL when `name` is passed for the n-th time (default 1).
// The name must be in the table: a test that arms a name nobody passes would prove nothing.
#pragma once
#include <array>
#include <string_view>

namespace honeylink::telemetry {

inline constexpr auto kKillpoints = std::to_array<std::string_view>({
    // store: traces
    "trace.before_begin",
    "trace.after_begin",
    "trace.after_rows",
    "trace.before_commit",
    "trace.after_commit",
    // store: spans into blocks
    "pack.before_begin",
    "pack.after_block",
    "pack.after_delete",
    "pack.before_commit",
    "pack.after_commit",
    "tidy.before_commit",
    // store: logs
    "log.before_write",
    "log.after_write",
    "log.before_state",
    "log.after_state",
    "log.before_sync",
    "log.after_sync",
    "log.rotate.before_rename",
    "log.rotate.after_rename",
    "log.rotate.after_create",
    "log.rotate.before_archive",
    "log.rotate.after_archive",
    "log.rotate.after_unlink",
    // store: metrics
    "metric.before_begin",
    "metric.after_row",
    "metric.before_commit",
    "metric.after_commit",
    // store: packing and rolling up metrics
    "segment.before_begin",
    "segment.after_write",
    "segment.after_delete",
    "segment.before_commit",
    "segment.after_commit",
    // store: a newer version's tables
    "upgrade.after_begin",
    "upgrade.after_step",
    "upgrade.before_commit",
    "upgrade.after_commit",
    // store: checkpoint
    "checkpoint.before",
    "checkpoint.after",
    // audit
    "audit.after_stage",
    "audit.after_append",
    "audit.after_erase",
    "audit.after_take",
    "audit.after_rotate",
    "audit.before_head",
    "audit.after_prune",
    // engine
    "engine.after_lock",
    "engine.after_cursors",
    "engine.after_epochs",
    "drain.after_copy",
    "drain.after_trace_add",
    "drain.after_log_add",
    "drain.before_commit",
    "drain.after_trace_commit",
    "drain.after_log_commit",
    "drain.before_release",
    "drain.after_release",
    "metric.before_bases",
    "metric.after_bases",
    "metric.after_tick",
    "deadring.before_drain",
    "deadring.before_open_spans",
    "deadring.after_open_spans",
    "deadring.before_unlink",
    "deadring.after_unlink",
    "deadring.after_forget",
    "retro.after_mark",
    "retro.before_commit",
    "flush.before_ack",
    // engine and store: service levels
    "sli.after_judging",
    "sli.before_rows",
    "sli.after_rows",
    "sli.after_commit",
    "sli.after_telling",
    "sli.after_restoring",
});

#ifdef HONEYLINK_KILLPOINTS
/// Passes the place `name`. Any thread.
void killpoint(const char* name) noexcept;
/// For tests in a fork child: as the environment variable would.
void arm_killpoint(std::string_view name, int pass) noexcept;
#else
inline void killpoint(const char*) noexcept {}
#endif

}  // namespace honeylink::telemetry
