// `honeytel audit show|verify|anchor`: one function each, called by cmd_audit.cc with the home. Main thread.
#pragma once
#include <string>

#include "cli/command.h"

namespace honeylink::telemetry::cli {

int audit_show(Call& call, const std::string& home);
int audit_verify(Call& call, const std::string& home);
int audit_anchor(Call& call, const std::string& home);

}  // namespace honeylink::telemetry::cli
