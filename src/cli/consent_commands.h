// `honeytel consent grant|status|revoke|test`: one function each, called by cmd_consent.cc with the home. Main thread.
#pragma once
#include <string>
#include <vector>

#include "base/messages.h"
#include "cli/command.h"
#include "consent/store.h"

namespace honeylink::telemetry::cli {

int consent_grant(Call& call, const std::string& home);
int consent_status(Call& call, const std::string& home);
int consent_revoke(Call& call, const std::string& home);
int consent_test(Call& call, const std::string& home);

/// Leaves the receipts of this endpoint, by their files' names, so that also one that cannot be read is found.
void keep_only(const consent::Endpoint& endpoint, std::vector<consent::Checked>& all);

/// By --lang, else the locale where the terminal shows UTF-8, else English.
[[nodiscard]] Language language_of(const Call& call);
/// What would leave, to whom, how, until when; lines for people, safe for a terminal.
[[nodiscard]] std::string describe_receipt(const consent::Receipt& receipt, Language language);
/// The endpoint of a word that the owner typed, or a Problem.
[[nodiscard]] query::Answer<consent::Endpoint> endpoint_of(const std::string& typed);
/// The engine looks at once.
void ring_engine(const std::string& home);

}  // namespace honeylink::telemetry::cli
