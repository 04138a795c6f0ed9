// Filters and the commands that do the same: see terminal_filter.h.
#include "view/terminal_filter.h"

#include <algorithm>

#include "query/log_line.h"
#include "query/time_text.h"

namespace honeylink::telemetry::view {
namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

/// One word of a shell, quoted where it has to be.
std::string shell_word(std::string_view text) {
  const bool plain = !text.empty() && text.find_first_not_of(
                                          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                          "_./:,=+-@%") == std::string_view::npos;
  if (plain) return std::string(text);
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

/// Reads `key=value` words; false where the page has no such key: then the word is text.
bool read_key(std::string_view key, std::string_view value, Page page, PageFilter& filter) {
  const bool traces = page == Page::traces, logs = page == Page::logs;
  if ((traces || logs) && key == "since") {
    if (!query::parse_duration(value)) filter.problem = "since=" + std::string(value) + "?  since=1h";
    else filter.since_word = value;
    return true;
  }
  if (traces && key == "name") return filter.name = value, true;
  if (traces && key == "min") {
    const auto least = query::parse_duration(value);
    if (!least) filter.problem = "min=" + std::string(value) + "?  min=100ms";
    else filter.duration_ns_min = *least, filter.min_word = value;
    return true;
  }
  if (logs && key == "level") {
    filter.level_min = query::level_number(value);
    if (filter.level_min == 0) filter.problem = "level=" + std::string(value) + "?  debug, info, warn, error";
    else filter.level_word = value;
    return true;
  }
  if (logs && key == "trace") {
    if (!query::normalize_trace_prefix(value, filter.trace))
      filter.problem = "trace=" + std::string(value) + "?  0af76519";
    return true;
  }
  return false;
}

}  // namespace

PageFilter read_filter(std::string_view typed, Page page) {
  PageFilter filter;
  while (!typed.empty()) {
    const std::size_t end = std::min(typed.find(' '), typed.size());
    const std::string_view one = typed.substr(0, end);
    typed.remove_prefix(std::min(typed.size(), end + 1));
    if (one.empty()) continue;
    const std::size_t equals = one.find('=');
    if (page == Page::traces && one == "errors") filter.errors = true;
    else if (page == Page::traces && one == "slow") filter.slow = true;
    else if (equals == std::string_view::npos || !read_key(one.substr(0, equals), one.substr(equals + 1), page, filter))
      filter.text += (filter.text.empty() ? "" : " ") + std::string(one);
  }
  return filter;
}

bool holds(std::string_view text, std::string_view part) noexcept {
  return std::search(text.begin(), text.end(), part.begin(), part.end(),
                     [](char a, char b) { return lower(a) == lower(b); }) != text.end() ||
         part.empty();
}

std::vector<const LevelCard*> shown_cards(const Model& model) {
  std::vector<const LevelCard*> cards;
  if (!model.found.levels) return cards;
  const std::string& text = model.state.filters[static_cast<std::size_t>(Page::levels)];
  for (const LevelCard& card : model.found.levels->cards) {
    if (holds(card.name, text) || holds(card.module, text)) cards.push_back(&card);
  }
  return cards;
}

std::vector<const AlertRow*> shown_alerts(const Model& model) {
  std::vector<const AlertRow*> alerts;
  if (!model.found.alerts) return alerts;
  const std::string& text = model.state.filters[static_cast<std::size_t>(Page::alerts)];
  for (const AlertRow& row : model.found.alerts->rows) {
    if (holds(row.event.sli_name, text) || holds(row.event.alert_id, text) || holds(row.event.trace_id, text))
      alerts.push_back(&row);
  }
  return alerts;
}

std::string command_of(const Model& model) {
  const ViewState& state = model.state;
  const PageFilter filter = read_filter(state.filter(), state.page);
  const std::string since = filter.since_word.empty() ? "" : " --since " + filter.since_word;
  std::string command = "honeytel ", then;
  switch (state.page) {
    case Page::levels:
      command += "sli";
      break;
    case Page::level:
      command += "sli " + shell_word(state.level_name);
      break;
    case Page::traces:
      command += "traces";
      if (filter.errors) command += " --errors";
      if (filter.slow) command += " --slow";
      if (!filter.min_word.empty()) command += " --min-duration " + filter.min_word;
      if (!filter.name.empty()) command += " --name " + shell_word(filter.name);
      command += since;
      if (!filter.text.empty()) command += " --limit 0", then = " | grep -i " + shell_word(filter.text);
      break;
    case Page::trace: {
      const bool known = model.found.trace && model.found.trace->trace_id.starts_with(state.trace_id);
      command += "traces " + (known ? model.found.trace->trace_id : state.trace_id).substr(0, 16);
      if (!state.span_id.empty()) command += " -v";
      break;
    }
    case Page::logs:
      command += model.live && state.place().follows ? "logs -f" : "logs";
      if (!filter.level_word.empty()) command += " --level " + shell_word(filter.level_word);
      if (!filter.trace.empty()) command += " --trace " + filter.trace;
      command += since;
      if (!filter.text.empty()) command += " --grep " + shell_word("(?i)" + filter.text);
      break;
    case Page::alerts:
      command += "alerts";
      if (!filter.text.empty()) then = " | grep -i " + shell_word(filter.text);
      break;
  }
  return command + model.home_words + then;
}

}  // namespace honeylink::telemetry::view
