// honeytel health: a gate for roll-outs. Exit 0 where at most that share was lost in the window, 1 where more was.
#include <algorithm>
#include <chrono>
#include <cstdio>

#include "cli/commands.h"
#include "cli/listing.h"
#include "query/json.h"
#include "query/ledger.h"
#include "query/time_text.h"

namespace honeylink::telemetry::cli {
namespace {

constexpr std::int64_t kWindowNs = 300'000'000'000;
constexpr double kLossMax = 0.01;

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f %%", share * 100);
  return text;
}

std::string reasons_of(const query::Loss& loss) {
  std::string text;
  for (const auto& [reason, n] : loss.reasons)
    text += (text.empty() ? "" : ", ") + reason + " " + query::format_count(n);
  return text;
}

void put_losses(query::JsonWriter& json, const char* name, const char* of, const std::vector<query::Loss>& losses) {
  json.key(name).begin_object();
  for (const query::Loss& loss : losses) {
    json.key(loss.signal).begin_object().key(of).count(loss.accepted).key("lost").count(loss.lost);
    json.key("loss").real(loss.share()).key("reasons").begin_object();
    for (const auto& [reason, n] : loss.reasons) json.key(reason).count(n);
    json.end_object().end_object();
  }
  json.end_object();
}

std::string to_json(const query::Health& health, double allowed, bool healthy) {
  query::JsonWriter json;
  json.begin_object().key("schema").integer(1).key("healthy").boolean(healthy).key("max_loss").real(allowed);
  put_losses(json, "signals", "accepted", health.signals);
  put_losses(json, "export", "due", health.exports);
  return json.end_object().str();
}

int run(Call& call) {
  query::Problem problem;
  const auto window = call.duration("window", kWindowNs, problem);
  const auto allowed = call.real("max-loss", kLossMax, problem);
  if (!window || !allowed) return report(call.terminal, problem);
  if (*allowed < 0 || *allowed > 1)
    return report(call.terminal,
                  usage_problem("--max-loss is a share from 0 to 1", "0.01 allows one record in a hundred"));
  const auto home = call.home();
  if (!home.ok()) return report(call.terminal, home.problem());
  const auto now =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  const auto health = query::read_health(home.value(), now - *window);
  if (!health.ok()) return report(call.terminal, health.problem());
  if (!health.value().any) {
    return report(call.terminal, {query::ProblemKind::failed, "there is no ledger to judge",
                                  "no engine has written one yet", "start one: honeytel agent"});
  }
  std::vector<query::Loss> losses = health.value().signals;
  for (query::Loss loss : health.value().exports) {
    loss.signal = "export of " + loss.signal;
    losses.push_back(std::move(loss));
  }
  const bool healthy =
      std::all_of(losses.begin(), losses.end(), [&](const query::Loss& loss) { return loss.share() <= *allowed; });
  if (call.format() == Format::json || call.format() == Format::jsonl) {
    call.terminal.print(to_json(health.value(), *allowed, healthy) + "\n");
  } else {
    Listing rows({{"signal", "signal"},
                  {"accepted", "accepted", true},
                  {"lost", "lost", true},
                  {"loss", "loss", true},
                  {"", "state"},
                  {"reasons", "why", false, true}});
    const Style& style = call.terminal.style;
    for (const query::Loss& loss : losses) {
      const bool good = loss.share() <= *allowed;
      rows.add(
          {text_cell(loss.signal), count_cell(loss.accepted), count_cell(loss.lost),
           real_cell(loss.share(), percent(loss.share())),
           text_cell(good ? style.sign("● OK", "OK") : style.sign("■ LOSS", "LOSS"), good ? Colour::blue : Colour::red),
           text_cell(reasons_of(loss))});
    }
    rows.print(call, "signals", losses.size());
  }
  return healthy ? kOk : kFailed;
}

constexpr Option kOptions[] = {
    {"window", "TIME", "How far back to judge (default: 5m)"},
    {"max-loss", "SHARE", "The share of records that may be lost (default: 0.01)"},
};

}  // namespace

extern const Command kHealth{.name = "health",
                             .summary = "Exit 0 where recording is sound, 1 where too much was lost",
                             .usage = "[--window 5m] [--max-loss 0.01]",
                             .about =
                                 "Loss is what was dropped for any reason but sampled_out, policy and expired, over "
                                 "what was\naccepted, per signal, from the ledger.",
                             .example = "honeytel health --window 5m --max-loss 0.01 || roll-back",
                             .options = kOptions,
                             .reads = true,
                             .run = run};

}  // namespace honeylink::telemetry::cli
