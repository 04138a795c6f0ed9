// `honeytel db stats|check|vacuum|backup|upgrade`: one function each, called by cmd_db.cc with the home. Main thread.
#pragma once
#include <string>

#include "cli/command.h"

namespace honeylink::telemetry::cli {

int db_stats(Call& call, const std::string& home);
int db_check(Call& call, const std::string& home);
int db_vacuum(Call& call, const std::string& home);
int db_backup(Call& call, const std::string& home);
int db_upgrade(Call& call, const std::string& home);

}  // namespace honeylink::telemetry::cli
