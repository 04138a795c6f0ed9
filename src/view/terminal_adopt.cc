// What was found takes its place under the reader: see terminal_input.h.
#include <algorithm>

#include "view/terminal_filter.h"
#include "view/terminal_input.h"
#include "view/terminal_layout.h"

namespace honeylink::telemetry::view {

std::size_t list_size(const Model& model) {
  switch (model.state.page) {
    case Page::levels:
      return shown_cards(model).size();
    case Page::traces:
      return model.found.traces ? model.found.traces->rows.size() : 0;
    case Page::trace:
      return model.found.trace ? model.found.trace->rows.size() : 0;
    case Page::logs:
      return model.found.logs ? model.found.logs->rows.size() : 0;
    case Page::alerts:
      return shown_alerts(model).size();
    case Page::level:
      break;
  }
  return 0;
}

namespace {

/// Where the row that was selected stands now; its old place where it is gone.
template <class Rows, class Same>
std::size_t place_of(const Rows& rows, std::size_t before, const Same& same) {
  const auto found = std::find_if(rows.begin(), rows.end(), same);
  return found == rows.end() ? before : static_cast<std::size_t>(found - rows.begin());
}

void keep_selected(Model& model, const Findings& fresh) {
  auto& places = model.state.places;
  Place& traces = places[static_cast<std::size_t>(Page::traces)];
  if (!traces.follows && model.found.traces && fresh.traces && traces.selected < model.found.traces->rows.size()) {
    const auto& id = model.found.traces->rows[traces.selected].trace_id;
    const std::size_t at =
        place_of(fresh.traces->rows, traces.selected, [&](const auto& row) { return row.trace_id == id; });
    traces.top += at > traces.selected ? at - traces.selected : 0;
    traces.selected = at;
  }
  Place& logs = places[static_cast<std::size_t>(Page::logs)];
  if (!logs.follows && model.found.logs && fresh.logs) {
    const std::uint64_t serial = model.found.logs->first + logs.selected, top = model.found.logs->first + logs.top;
    const std::uint64_t first = fresh.logs->first;
    logs.selected = serial > first ? static_cast<std::size_t>(serial - first) : 0;
    logs.top = top > first ? static_cast<std::size_t>(top - first) : 0;
  }
  Place& alerts = places[static_cast<std::size_t>(Page::alerts)];
  if (!alerts.follows && model.found.alerts && fresh.alerts && alerts.selected < model.found.alerts->rows.size()) {
    const std::string& id = model.found.alerts->rows[alerts.selected].event.alert_id;
    alerts.selected =
        place_of(fresh.alerts->rows, alerts.selected, [&](const AlertRow& row) { return row.event.alert_id == id; });
  }
  Place& levels = places[static_cast<std::size_t>(Page::levels)];
  if (!levels.follows && model.found.levels && fresh.levels && levels.selected < model.found.levels->cards.size()) {
    const std::string& name = model.found.levels->cards[levels.selected].name;
    levels.selected =
        place_of(fresh.levels->cards, levels.selected, [&](const LevelCard& card) { return card.name == name; });
  }
}

}  // namespace

void adopt(Model& model, Findings fresh) {
  keep_selected(model, fresh);
  model.found = std::move(fresh);
}

void settle(Model& model, Size size) {
  ViewState& state = model.state;
  Place& place = state.place();
  const std::size_t total = list_size(model);
  if (place.follows) place.selected = state.page == Page::logs && total > 0 ? total - 1 : 0;
  if (total > 0) place.selected = std::min(place.selected, total - 1);
  const std::size_t rows = list_rows(model, size);
  if (place.selected < place.top) place.top = place.selected;
  if (place.selected >= place.top + rows) place.top = place.selected - rows + 1;
  place.top = std::min(place.top, total > rows ? total - rows : 0);
}

}  // namespace honeylink::telemetry::view
