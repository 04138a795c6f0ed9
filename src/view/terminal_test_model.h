// For tests: a model with something on every page. Not part of a program.
#pragma once
#include <cmath>
#include <memory>
#include <string>

#include "view/terminal_layout.h"
#include "view/terminal_model.h"

namespace honeylink::telemetry::view {

inline constexpr std::int64_t kTestNow = 1'790'000'000 * kSecondNs;

inline LevelCard make_card(const std::string& name, std::optional<Level> state, double value, double yellow) {
  LevelCard card;
  card.name = name, card.module = "session-orchestrator", card.state = state, card.value = value;
  card.unit = name.ends_with("_rate") ? "1" : "s";
  card.yellow = yellow, card.orange = yellow * 1.25, card.red = yellow * 2, card.objective = yellow * 1.25;
  card.breaches = state && *state != Level::ok ? 2 : 0;
  card.budget_left = state && *state != Level::ok ? -0.124 : 0.99, card.burn_1h = 3.1, card.burn_6h = 1.4;
  card.rate = 12.4, card.newest_unix_s = kTestNow / kSecondNs - 4;
  card.t0_unix_s = kTestNow / kSecondNs - 1'800, card.step_s = 60;
  for (int i = 0; i < 30; ++i)
    card.values.push_back(i == 7 ? NAN : value * (0.4 + 0.6 * i / 29.0 + 0.05 * std::sin(i)));
  return card;
}

inline Model make_model() {
  Model model;
  model.now_unix_ns = kTestNow;
  auto status = std::make_shared<StatusFacts>();
  status->engine = "agent", status->engine_pid = 4'242, status->programs = 3, status->in_ring = 1'204;
  status->accepted = 10'000, status->newest_unix_ns = kTestNow - 4 * kSecondNs;
  model.found.status = status;
  auto levels = std::make_shared<LevelCards>();
  levels->cards = {make_card("session_establishment_latency_p95", Level::orange, 0.6505, 0.4),
                   make_card("packet_loss_rate", Level::yellow, 0.052, 0.05),
                   make_card("policy_update_latency_p95", Level::ok, 0.1683, 0.25),
                   make_card("encryption_latency_p95", Level::ok, 0.0002, 0.015),
                   make_card("qos_packet_drop_rate", std::nullopt, NAN, 0.05)};
  levels->cards[1].is_ratio = levels->cards[4].is_ratio = true;
  levels->cards[4].values.clear();
  model.found.levels = levels;
  auto traces = std::make_shared<TraceTable>();
  for (std::uint8_t i = 0; i < 100; ++i) {
    query::TraceSummary trace;
    trace.trace_id[0] = i, trace.trace_id[1] = 0xaf, trace.root = "session.establish", trace.service = "initiator";
    trace.start_unix_ns = kTestNow - i * kSecondNs, trace.end_unix_ns = trace.start_unix_ns + 650'500'000;
    trace.spans = 8, trace.errors = i % 10 == 3 ? 1 : 0, trace.slow = i % 10 == 5;
    traces->rows.push_back(trace);
  }
  traces->total = 1'204;
  model.found.traces = traces;
  auto logs = std::make_shared<LogTable>();
  for (int i = 0; i < 100; ++i) {
    auto row = std::make_shared<LogRow>();
    row->time_unix_ns = kTestNow - (100 - i) * kSecondNs, row->level = i % 5 == 0 ? 17 : 9;
    row->level_word = i % 5 == 0 ? "ERROR" : "INFO", row->module = "transport", row->event = "packet.lost";
    row->text = "sequence=" + std::to_string(i), row->trace_id = "0af7651916cd43dd8448eb211c80319c";
    logs->rows.push_back(row);
  }
  logs->whole = true;
  model.found.logs = logs;
  auto alerts = std::make_shared<AlertTable>();
  AlertRow alert;
  alert.event = {"alert_01J0000000000000000000000A",
                 Level::orange,
                 "session_establishment_latency_p95",
                 "session-orchestrator",
                 "development",
                 "s",
                 0.6505,
                 0.5,
                 "upper",
                 kTestNow - 60 * kSecondNs,
                 "0af7651916cd43dd8448eb211c80319c",
                 0};
  alert.toast_ms = 12;
  alerts->rows = {alert, alert};
  alerts->rows[1].event.alert_id = "alert_01J0000000000000000000000B";
  alerts->rows[1].event.cleared_at_unix_ns = kTestNow - 30 * kSecondNs;
  model.found.alerts = alerts;
  return model;
}

/// UX "What it prints": a session whose packet was late.
inline std::shared_ptr<OpenTrace> make_trace() {
  auto trace = std::make_shared<OpenTrace>();
  trace->trace_id = "0af7651916cd43dd8448eb211c80319c";
  trace->start_unix_ns = kTestNow, trace->duration_ns = 650'500'000, trace->slowest = 4, trace->errors = 1;
  trace->texts = {
      "session.establish", "session-orchestrator", "policy.fetch",     "policy-engine", "key.exchange", "crypto",
      "packet.send",       "physical.transmit",    "physical-adapter", "transport"};
  struct Span {
    std::int64_t start_ms, duration_ms, critical_ms;
    std::uint32_t name, service, depth, parent;
    bool error, last;
  };
  for (const Span& s : {Span{0, 650, 0, 0, 1, 0, UINT32_MAX, false, true}, Span{1, 12, 12, 2, 3, 1, 0, false, false},
                        Span{14, 31, 31, 4, 5, 1, 0, false, false}, Span{46, 598, 8, 6, 9, 1, 0, true, true},
                        Span{50, 590, 590, 7, 8, 2, 3, false, true}}) {
    OpenTrace::Row row;
    row.start_ns = s.start_ms * 1'000'000, row.duration_ns = s.duration_ms * 1'000'000;
    row.critical_ns = s.critical_ms * 1'000'000, row.name = s.name, row.service = s.service;
    row.depth = s.depth, row.parent = s.parent, row.error = s.error, row.last_child = s.last;
    row.span_id[7] = static_cast<std::uint8_t>(trace->rows.size() + 1);
    trace->rows.push_back(row);
  }
  return trace;
}

inline Model on_page(Page page) {
  Model model = make_model();
  model.state.page = page;
  if (page != Page::levels) model.state.behind = {Page::levels};
  if (page == Page::level) {
    model.state.level_name = "session_establishment_latency_p95";
    auto detail = std::make_shared<LevelDetail>();
    detail->name = model.state.level_name;
    detail->t0_unix_s = kTestNow / kSecondNs - 1'800;
    detail->bounds = {0.1, 0.2, 0.4, 0.5, 0.8, 1.6};
    detail->heat.resize(30 * detail->bounds.size());
    for (std::size_t i = 0; i < 30; ++i) {
      detail->p50.push_back(0.2), detail->p95.push_back(0.3 + 0.01 * static_cast<double>(i)),
          detail->p99.push_back(0.7);
      for (std::size_t b = 0; b < 5; ++b) detail->heat[i * detail->bounds.size() + b] = (i + 1) * (5 - b);
    }
    detail->exemplars = {{kTestNow, 0.7, "0af7651916cd43dd8448eb211c80319c"}};
    model.found.level = detail;
  }
  if (page == Page::trace) {
    model.found.trace = make_trace();
    model.state.trace_id = model.found.trace->trace_id;
    model.state.place().follows = false;
  }
  return model;
}

inline std::vector<std::string> lines_of(const Grid& grid) {
  std::vector<std::string> lines;
  for (std::size_t row = 0; row < grid.size().rows; ++row) lines.push_back(grid.text(row));
  return lines;
}
inline std::string screen_of(const Model& model, Size size, Look look = {}) {
  std::string screen;
  for (const std::string& line : lines_of(draw_view(model, size, look))) screen += line + "\n";
  return screen;
}

}  // namespace honeylink::telemetry::view
