// The words of the terminal view, in the languages of its readers. Machine output and the names of levels' metrics are
// never translated (UX 19). Constants; any thread.
#pragma once
#include <cstdint>
#include <string_view>

namespace honeylink::telemetry::view {

enum class Tongue : std::uint8_t { en, ja, es, zh };

enum class Word : std::uint8_t {
  // Line 1
  no_engine,
  engine,
  programs,
  in_ring,
  dropped,
  newest,
  live,
  paused,
  fresh,  // "1,204 new"
  not_live,
  // Levels
  ok,
  yellow,
  orange,
  red,
  no_data,
  budget,
  burn,
  of,
  objective,
  rate,
  breaches,
  heat,
  exemplars,
  // Titles and columns
  levels,
  traces,
  logs,
  alerts,
  start,
  duration,
  spans,
  errors,
  root,
  service,
  since,
  state,
  value,
  threshold,
  trace,
  told,
  fires,
  cleared,
  error,
  unfinished,
  no_parent,
  critical_path,
  self,
  newest_first,
  follows,
  filter,
  showing,  // "showing 12 of 1,204"
  // Empty pages
  no_levels,
  no_traces,
  no_logs,
  no_alerts,
  make_some,
  reading,
  no_match,
  // Keys
  key_traces,
  key_logs,
  key_alerts,
  key_help,
  key_quit,
  key_back,
  key_open,
  key_filter,
  key_zoom,
  key_find,
  help_title,
  help_levels,
  help_open,
  help_back,
  help_move,
  help_ends,
  help_pages,
  help_traces,
  help_logs,
  help_alerts,
  help_pause,
  help_filter,
  help_next,
  help_zoom,
  help_copy,
  help_quit,
  help_filters,
  // Messages
  copied,
  command,
  nothing_found,
  no_trace,
  too_small,
  count_  // how many there are
};

[[nodiscard]] std::string_view word(Word word, Tongue tongue) noexcept;
/// By a locale's name: "ja_JP.UTF-8" is Japanese; what is not known is English.
[[nodiscard]] Tongue tongue_of(std::string_view locale) noexcept;

}  // namespace honeylink::telemetry::view
