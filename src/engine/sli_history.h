// What is stored, for service levels: budgets out of the points of thirty days, and the data of a tick that an engine
// committed and did not judge any more. Read once, when the lead begins or a definition is new, through a connection of
// its own, read-only; ticks read nothing.
#pragma once
#include <vector>

#include "engine/sli_watch.h"

namespace honeylink::telemetry::engine {

struct SliSources {
  const SliFeeds* feeds = nullptr;
  std::vector<sli::Tracker*> trackers;  // by SliRole::sli; nullptr: leave it out
};
/// Fills the trackers' budgets. Newest first; what would take more than a second is left out. False: it was, or the
/// file cannot be read.
bool read_budgets(const std::string& path, const SliSources& sources);
/// Adds the points of commits after `evaluated_commit` that are of the newest tick to `open`. The end of that tick, as
/// Unix ns; 0: there are none.
std::int64_t read_open(const std::string& path, const SliSources& sources, std::uint64_t evaluated_commit,
                       const std::vector<sli::TickData*>& open);
/// One series' part of a tick.
void add_part(sli::TickData& to, SliPart part, const Sketch& sketch, double number, const ExemplarInfo& exemplar,
              const SliFeed& feed);

}  // namespace honeylink::telemetry::engine
