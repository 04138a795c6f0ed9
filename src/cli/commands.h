// Every command, one file each (cmd_<name>.cc). The table in commands.cc is their order in --help.
#pragma once
#include "cli/command.h"

namespace honeylink::telemetry::cli {

extern const Command kDemo, kAgent, kStatus, kTop, kSli, kAlerts, kMetrics, kTraces, kLogs, kSql, kView, kRecord, kRun,
    kHealth, kDoctor, kLastWords, kConsent, kAudit, kConfig, kDb, kBundle, kForget, kBench, kBenchRecorder, kCompletion,
    kManual;

}  // namespace honeylink::telemetry::cli
