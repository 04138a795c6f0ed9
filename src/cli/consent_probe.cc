// honeytel consent test: one empty request for each thing that was granted, and in words what came of it. The
// transports are the ones that send: export's for metrics, traces and logs, Alertmanager's form for alerts.
#include <chrono>

#include "audit/journal.h"
#include "base/clock.h"
#include "base/text.h"
#include "cli/consent_commands.h"
#include "cli/listing.h"
#include "consent/gate.h"
#include "export/sender.h"
#include "net/client.h"
#include "query/time_text.h"

namespace honeylink::telemetry::cli {
namespace {

struct Tried {
  bool taken = false;
  net::Failure failure = net::Failure::none;
  std::string said, transport;
  double milliseconds = 0;
};

Tried try_alertmanager(consent::Permit permit) {
  Tried tried;
  tried.transport = "http";
  const auto client = net::Client::make(std::move(permit), {}, tried.said);
  if (client == nullptr) return tried.failure = net::Failure::no_library, tried;
  net::Request request;
  request.path = "/api/v2/alerts";
  request.headers = {"content-type: application/json"};
  request.body = "[]";
  const auto began = std::chrono::steady_clock::now();
  const net::Answer answer = client->send(request);
  tried.milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count();
  tried.failure = answer.failure;
  tried.taken = answer.ok() && answer.status / 100 == 2;
  tried.said = !answer.ok() ? answer.said : tried.taken ? "" : "HTTP " + std::to_string(answer.status);
  return tried;
}

Tried try_otlp(consent::Permit permit) {
  Tried tried;
  const auto sender = exporting::Sender::make(std::move(permit), tried.said);
  if (sender == nullptr) return tried.failure = net::Failure::no_library, tried;
  const exporting::Sent sent = sender->send({});  // an empty request is one without resources: always a success
  tried.transport = exporting::name_of(sender->protocol());
  tried.failure = sent.failure;
  tried.taken = sent.failure == net::Failure::none && sent.outcome.verdict == exporting::Verdict::delivered;
  tried.said = sent.outcome.words;
  tried.milliseconds = sent.milliseconds;
  return tried;
}

MessageKey reason_of(net::Failure failure) {
  switch (failure) {
    case net::Failure::not_permitted:
    case net::Failure::cancelled:
      return "consent.test_ended";
    case net::Failure::no_library:
      return "consent.test_no_library";
    case net::Failure::unresolved:
      return "consent.test_unresolved";
    case net::Failure::unreachable:
      return "consent.test_unreachable";
    case net::Failure::timed_out:
      return "consent.test_timed_out";
    case net::Failure::closed:
      return "consent.test_closed";
    case net::Failure::tls_expired:
      return "consent.test_expired";
    case net::Failure::tls_unknown_authority:
      return "consent.test_authority";
    case net::Failure::tls_wrong_name:
      return "consent.test_name";
    case net::Failure::tls_wrong_pin:
      return "consent.test_pin";
    case net::Failure::tls_version:
      return "consent.test_version";
    case net::Failure::tls_own_certificate:
      return "consent.test_own";
    case net::Failure::own_key:
      return "consent.test_own_key";
    case net::Failure::tls_no_http2:
      return "consent.test_http2";
    case net::Failure::tls_no_http3:
      return "consent.test_http3";
    case net::Failure::tls_other:
      return "consent.test_tls";
    default:
      return "consent.test_bad_answer";
  }
}

std::string words_of(const consent::Endpoint& to, consent::Signal signal, const Tried& tried, Language language) {
  const std::string_view name = consent::name_of(signal);
  if (tried.taken) return fill("consent.test_taken", language, {to.text(), name});
  if (tried.failure == net::Failure::none)
    return fill("consent.test_not_taken", language, {to.text(), name, tried.said});
  const std::string reason = fill(reason_of(tried.failure), language, {tried.said});
  return fill("consent.test_failed", language, {to.text(), name, reason});
}

Tried try_one(const std::string& home, const consent::Endpoint& to, consent::Signal signal) {
  const consent::Gate gate(home, system_clock());
  consent::Gate::Answer leave = gate.ask(to, signal);
  Tried tried;
  if (!leave.permit) return tried.failure = net::Failure::not_permitted, tried.said = leave.why, tried;
  tried = signal == consent::Signal::alerts ? try_alertmanager(std::move(*leave.permit))
                                            : try_otlp(std::move(*leave.permit));
  std::string ignored;
  const std::string outcome(tried.taken                           ? "taken"
                            : tried.failure == net::Failure::none ? "not_taken"
                                                                  : net::name_of(tried.failure));
  (void)audit::Journal(home, system_clock())
      .append("consent.test",
              {{"endpoint", to.text()}, {"signals", std::string(consent::name_of(signal))}, {"outcome", outcome}},
              tried.taken ? audit::Result::ok : audit::Result::failed, ignored);
  return tried;
}

}  // namespace

int consent_test(Call& call, const std::string& home) {
  std::vector<consent::Checked> all = consent::list_receipts(home, system_clock());
  std::string named;
  if (call.arguments.size() > 1) {
    const auto endpoint = endpoint_of(call.argument(1));
    if (!endpoint.ok()) return report(call.terminal, endpoint.problem());
    named = endpoint.value().text();
    keep_only(endpoint.value(), all);
  }
  std::string why;
  for (const consent::Checked& c : all)
    if (c.state != consent::State::valid) why = c.why.empty() ? "it is over" : c.why;
  std::erase_if(all, [](const consent::Checked& c) { return c.state != consent::State::valid; });
  if (all.empty())
    return report(call.terminal, {query::ProblemKind::no_consent,
                                  named.empty() ? "nothing may leave this device" : "nothing may leave for " + named,
                                  why, "honeytel consent grant --endpoint URL --signals LIST"});
  Listing listing({{"endpoint", "", false, true},
                   {"signal", ""},
                   {"taken", ""},
                   {"failure", ""},
                   {"transport", ""},
                   {"milliseconds", ""},
                   {"said", ""}});
  const bool words = call.format() == Format::table;
  bool taken = true;
  for (const consent::Checked& c : all) {
    for (std::size_t i = 0; i < consent::kSignals; ++i) {
      const auto signal = static_cast<consent::Signal>(i);
      if (!c.receipt.grants(signal)) continue;
      const Tried tried = try_one(home, c.receipt.endpoint, signal);
      taken = taken && tried.taken;
      const Style& style = call.terminal.style;
      const std::string sign(tried.taken ? style.sign("● ", "") : style.sign("■ ", "! "));
      if (words)
        call.terminal.print("  " + style.paint(tried.taken ? Colour::blue : Colour::red, sign) +
                            terminal_safe(words_of(c.receipt.endpoint, signal, tried, language_of(call))) + "\n");
      listing.add({text_cell(c.receipt.endpoint.text()), text_cell(consent::kSignalNames[i]), bool_cell(tried.taken),
                   text_cell(net::name_of(tried.failure)), text_cell(tried.transport), real_cell(tried.milliseconds),
                   text_cell(tried.said)});
    }
  }
  if (!words) listing.print(call, "tests", listing.size());
  return taken ? kOk : kFailed;
}

}  // namespace honeylink::telemetry::cli
