// The table of commands, in the order of --help.
#include "cli/commands.h"

#include <array>

namespace honeylink::telemetry::cli {
namespace {
constexpr std::array kAll{&kDemo,   &kAgent,     &kStatus,        &kTop,        &kSli,    &kAlerts, &kMetrics,
                          &kTraces, &kLogs,      &kSql,           &kView,       &kRecord, &kRun,    &kHealth,
                          &kDoctor, &kLastWords, &kConsent,       &kAudit,      &kConfig, &kDb,     &kBundle,
                          &kForget, &kBench,     &kBenchRecorder, &kCompletion, &kManual};
}  // namespace

std::span<const Command* const> all_commands() { return kAll; }

const Command* find_command(std::string_view name) {
  for (const Command* command : kAll) {
    if (command->name == name) return command;
  }
  return nullptr;
}

}  // namespace honeylink::telemetry::cli
