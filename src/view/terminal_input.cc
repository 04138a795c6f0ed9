// Keys: see terminal_input.h.
#include "view/terminal_input.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "query/unicode.h"
#include "view/terminal_filter.h"
#include "view/terminal_layout.h"

namespace honeylink::telemetry::view {
namespace {

constexpr std::size_t kTypedBytesMax = 200;
constexpr std::size_t kBehindMax = 16;
constexpr std::array<std::int64_t, 6> kWindows{300, 1'800, 3'600, 21'600, 86'400, 604'800};

/// Turns to a page, so that Esc leads back.
void turn_to(ViewState& state, Page page) {
  if (state.page == page) return;
  const auto before = std::find(state.behind.begin(), state.behind.end(), page);
  if (before != state.behind.end()) state.behind.erase(before, state.behind.end());
  else state.behind.push_back(state.page);
  if (state.behind.size() > kBehindMax) state.behind.erase(state.behind.begin());
  state.page = page;
}

void open_trace(Model& model, const std::string& trace_id) {
  ViewState& state = model.state;
  if (trace_id.empty()) {
    state.notice = MessageKey("top.no_trace");
    return;
  }
  if (state.trace_id != trace_id) {
    state.trace_id = trace_id;
    state.zoom_from_ns = state.zoom_to_ns = 0;
    state.places[static_cast<std::size_t>(Page::trace)] = {0, 0, false};
    state.filters[static_cast<std::size_t>(Page::trace)].clear();
  }
  state.span_id.clear();
  turn_to(state, Page::trace);
}

void enlarge(Model& model, std::size_t place) {
  const auto cards = shown_cards(model);
  if (place >= cards.size()) return;
  model.state.level_name = cards[place]->name;
  turn_to(model.state, Page::level);
}

void enter(Model& model) {
  ViewState& state = model.state;
  const std::size_t at = state.place().selected;
  switch (state.page) {
    case Page::levels:
      return enlarge(model, at);
    case Page::level: {
      const LevelDetail* detail = model.found.level.get();
      if (detail != nullptr && detail->name == state.level_name && !detail->exemplars.empty())
        return open_trace(model, detail->exemplars.front().trace_id);
      for (const LevelCard* card : shown_cards(model)) {
        if (card->name == state.level_name) return open_trace(model, card->trace_id);
      }
      return;
    }
    case Page::traces:
      if (model.found.traces && at < model.found.traces->rows.size())
        open_trace(model, hex(model.found.traces->rows[at].trace_id));
      return;
    case Page::trace:
      if (model.found.trace && at < model.found.trace->rows.size()) {
        state.span_id = hex(model.found.trace->rows[at].span_id);
        state.detail_top = 0;
      }
      return;
    case Page::logs:
      if (model.found.logs && at < model.found.logs->rows.size())
        open_trace(model, model.found.logs->rows[at]->trace_id);
      return;
    case Page::alerts: {
      const auto alerts = shown_alerts(model);
      if (at < alerts.size()) open_trace(model, alerts[at]->event.trace_id);
    }
  }
}

void back(ViewState& state) {
  if (!state.span_id.empty()) return state.span_id.clear();
  std::string& filter = state.filters[static_cast<std::size_t>(state.page)];
  const bool by_link = state.page == Page::logs && filter.starts_with("trace=") && !state.behind.empty() &&
                       state.behind.back() == Page::trace;
  if (!filter.empty()) {
    filter.clear();
    if (!by_link) return;
  }
  if (state.behind.empty()) return;
  state.page = state.behind.back();
  state.behind.pop_back();
}

void move(Model& model, std::int64_t by) {
  ViewState& state = model.state;
  if (!state.span_id.empty() && state.page == Page::trace) {
    const auto top = static_cast<std::int64_t>(state.detail_top) + by;
    const std::size_t lines = model.found.span ? model.found.span->lines.size() : 0;
    state.detail_top = static_cast<std::size_t>(std::clamp<std::int64_t>(top, 0, static_cast<std::int64_t>(lines)));
    return;
  }
  Place& place = state.place();
  const std::size_t total = list_size(model);
  if (total == 0) return;
  if (state.page == Page::levels && place.follows) {  // the first key only shows where the selection is
    place.follows = false;
    return;
  }
  const auto to =
      std::clamp<std::int64_t>(static_cast<std::int64_t>(place.selected) + by, 0, static_cast<std::int64_t>(total) - 1);
  place.selected = static_cast<std::size_t>(to);
  // At the newest end the list goes on by itself, elsewhere it stands.
  if (state.page == Page::logs) place.follows = place.selected + 1 == total;
  else if (state.page != Page::levels) place.follows = place.selected == 0 && by < 0;
}

void zoom(Model& model, double factor) {
  ViewState& state = model.state;
  if (state.page == Page::level) {
    auto at = std::find(kWindows.begin(), kWindows.end(), state.window_s);
    if (at == kWindows.end()) at = kWindows.begin() + 1;
    if (factor < 1 && at != kWindows.begin()) --at;
    if (factor > 1 && at + 1 != kWindows.end()) ++at;
    state.window_s = *at;
    return;
  }
  const OpenTrace* trace = model.found.trace.get();
  if (state.page != Page::trace || trace == nullptr || trace->rows.empty()) return;
  const bool zoomed = state.zoom_to_ns > state.zoom_from_ns;
  const auto whole = static_cast<double>(std::max<std::int64_t>(1, trace->duration_ns));
  const double from = zoomed ? static_cast<double>(state.zoom_from_ns) : 0;
  const double span = zoomed ? static_cast<double>(state.zoom_to_ns - state.zoom_from_ns) : whole;
  const OpenTrace::Row& row = trace->rows[std::min(state.place().selected, trace->rows.size() - 1)];
  const double row_middle = static_cast<double>(row.start_ns) + static_cast<double>(row.duration_ns) / 2;
  const double middle = row_middle >= from && row_middle <= from + span ? row_middle : from + span / 2;
  const double wide = std::clamp(span * factor, 10.0, whole);
  if (wide >= whole) {
    state.zoom_from_ns = state.zoom_to_ns = 0;
    return;
  }
  const double begin = std::clamp(middle - wide / 2, 0.0, whole - wide);
  state.zoom_from_ns = static_cast<std::int64_t>(begin), state.zoom_to_ns = static_cast<std::int64_t>(begin + wide);
}

void pan(Model& model, double share) {
  ViewState& state = model.state;
  const std::int64_t span = state.zoom_to_ns - state.zoom_from_ns;
  if (span <= 0 || !model.found.trace) return;
  const auto by = static_cast<std::int64_t>(static_cast<double>(span) * share);
  const std::int64_t from = std::clamp<std::int64_t>(state.zoom_from_ns + by, 0, model.found.trace->duration_ns - span);
  state.zoom_from_ns = from, state.zoom_to_ns = from + span;
}

/// The next span, in either direction, whose name or service holds what was looked for.
void find(Model& model, bool forward) {
  ViewState& state = model.state;
  const OpenTrace* trace = model.found.trace.get();
  const std::string& part = state.filter();
  if (state.page != Page::trace || trace == nullptr || trace->rows.empty() || part.empty()) return;
  std::vector<bool> matches(trace->texts.size());
  for (std::size_t i = 0; i < trace->texts.size(); ++i) matches[i] = holds(trace->texts[i], part);
  const std::size_t n = trace->rows.size();
  for (std::size_t step = 1; step <= n; ++step) {
    const std::size_t at = (state.place().selected + (forward ? step : n - step)) % n;
    const OpenTrace::Row& row = trace->rows[at];
    if (!matches[row.name] && !matches[row.service] && !(row.error && holds("error", part))) continue;
    state.place().selected = at;
    return;
  }
  state.notice = MessageKey("top.nothing_found");
}

void end_typing(Model& model) {
  ViewState& state = model.state;
  state.typing = false;
  const PageFilter filter = read_filter(state.typed, state.page);
  if (!filter.problem.empty()) {
    state.message = filter.problem;
    return;
  }
  state.filters[static_cast<std::size_t>(state.page)] = state.typed;
  if (state.page == Page::trace) return find(model, true);
  state.place() = Place{};
}

void type(Model& model, const Key& key) {
  ViewState& state = model.state;
  if (key.name == KeyName::escape) {
    state.typing = false;
  } else if (key.name == KeyName::enter) {
    end_typing(model);
  } else if (key.name == KeyName::erase) {
    while (!state.typed.empty() && (static_cast<unsigned char>(state.typed.back()) & 0xc0U) == 0x80U)
      state.typed.pop_back();
    if (!state.typed.empty()) state.typed.pop_back();
  } else if (key.letter == 21) {  // Ctrl-U
    state.typed.clear();
  } else if (key.letter >= 0x20 && !is_control(key.letter) && state.typed.size() < kTypedBytesMax) {
    query::append_utf8(state.typed, key.letter);
  }
}

void pause(Model& model) {
  ViewState& state = model.state;
  if (!model.live) return;
  state.paused = !state.paused;
  state.accepted_at_pause = model.found.status ? model.found.status->accepted : 0;
  model.accepted_now = state.accepted_at_pause;
  state.paused_at_unix_ns = model.now_unix_ns;
}

void logs_of_trace(Model& model) {
  ViewState& state = model.state;
  if (state.page == Page::trace && model.found.trace && !model.found.trace->trace_id.empty()) {
    state.filters[static_cast<std::size_t>(Page::logs)] = "trace=" + model.found.trace->trace_id;
    state.places[static_cast<std::size_t>(Page::logs)] = Place{};
  }
  turn_to(state, Page::logs);
}

/// Keys that are letters. False: not one of them.
bool press_letter(Model& model, char32_t letter, KeyEffect& effect) {
  ViewState& state = model.state;
  const bool in_trace = state.page == Page::trace;
  switch (letter) {
    case U'q':
      state.quit = true;
      break;
    case U'?':
      state.help = true, state.help_top = 0;
      break;
    case U' ':
      pause(model);
      break;
    case U'/':
      if (state.page == Page::level) break;
      state.typing = true, state.typed = state.filter();
      break;
    case U't':
      turn_to(state, Page::traces);
      break;
    case U'l':
      logs_of_trace(model);
      break;
    case U'a':
      if (in_trace) pan(model, -0.25);
      else turn_to(state, Page::alerts);
      break;
    case U'd':
      pan(model, 0.25);
      break;
    case U'w':
    case U'+':
    case U'=':
      zoom(model, 0.5);
      break;
    case U's':
    case U'-':
      zoom(model, 2);
      break;
    case U'n':
      find(model, true);
      break;
    case U'N':
      find(model, false);
      break;
    case U'c':
      effect.copy = command_of(model);
      state.notice = MessageKey("top.copied"), state.message = effect.copy;
      break;
    case U'u':
      state.utc = !state.utc;
      break;
    case U'0':
    case U'o':
      turn_to(state, Page::levels);
      break;
    default:
      return false;
  }
  return true;
}

void press_move(Model& model, const Key& key, Size size) {
  const auto page = static_cast<std::int64_t>(list_rows(model, size));
  constexpr std::int64_t kAll = INT64_C(1) << 40;
  if (key.name == KeyName::down || key.letter == U'j') return move(model, 1);
  if (key.name == KeyName::up || key.letter == U'k') return move(model, -1);
  if (key.name == KeyName::page_down || key.letter == 6) return move(model, page);
  if (key.name == KeyName::page_up || key.letter == 2) return move(model, -page);
  if (key.name == KeyName::home || key.letter == U'g') return move(model, -kAll);
  if (key.name == KeyName::end || key.letter == U'G') return move(model, kAll);
  if (key.name == KeyName::left) return model.state.page == Page::trace ? pan(model, -0.25) : back(model.state);
  if (key.name == KeyName::right) return model.state.page == Page::trace ? pan(model, 0.25) : enter(model);
}

}  // namespace

KeyEffect press(Model& model, const Key& key, Size size) {
  KeyEffect effect;
  ViewState& state = model.state;
  state.notice.reset(), state.message.clear();
  if (state.typing) {
    type(model, key);
  } else if (state.help) {
    if (key.name == KeyName::down || key.letter == U'j') ++state.help_top;
    else if (key.name == KeyName::up || key.letter == U'k') state.help_top -= state.help_top > 0 ? 1 : 0;
    else state.help = false, state.quit = key.letter == U'q';
  } else if (key.letter >= U'1' && key.letter <= U'5') {
    const std::size_t top = state.places[static_cast<std::size_t>(Page::levels)].top;
    enlarge(model, top + key.letter - U'1');
  } else if (key.name == KeyName::enter) {
    enter(model);
  } else if (key.name == KeyName::escape || key.name == KeyName::erase) {
    back(state);
  } else if (!press_letter(model, key.letter, effect)) {
    press_move(model, key, size);
  }
  settle(model, size);
  return effect;
}

}  // namespace honeylink::telemetry::view
