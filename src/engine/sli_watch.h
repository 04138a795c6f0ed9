// Service levels in the engine: which series feed which SLI, the data of the tick in progress, and what a commit says
// about them (DESIGN 9). The rules themselves are sli/tracker.h's.
//
// judge() is called for each attempt to commit and changes nothing; settle() after the commit that carried its answer.
// So a commit that fails, or a kill, neither repeats nor loses an alert: what was not committed is judged again from
// the same points. Commits between two ticks (a dead ring, a flush) only add to the data of the tick in progress; after
// a restart that data is read back from the rows that no evaluation has seen. One owner, the engine's thread.
#pragma once
#include <deque>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/events.h"
#include "engine/series_gain.h"
#include "sli/tracker.h"
#include "store/sli_rows.h"

namespace honeylink::telemetry::engine {

struct Core;

/// What a series is to an SLI.
enum class SliPart : std::uint8_t { observations, numerator, denominator };
struct SliRole {
  std::size_t sli = 0;
  SliPart part = SliPart::observations;
};
struct SliFeed {
  std::vector<SliRole> roles;
  std::string unit, environment;
};
using SliFeeds = std::unordered_map<std::uint32_t, SliFeed>;  // by number of the series

class SliWatch {
 public:
  using Triggered = std::map<std::pair<std::string, std::string>, std::uint64_t>;  // by severity and SLI

  /// The lead begins: definitions, then levels, alerts, budgets and open data as they were left.
  void begin(Core& core);
  /// The configuration may have changed.
  void define(Core& core);
  /// A series has its number. Called for each one that a ring brings, and again after define().
  void learn(Core& core, std::uint32_t sid, const SeriesInfo& info);
  /// metrics.db was made anew: numbers are others now, and will be learnt again.
  void forget_series() { feeds_.clear(); }

  /// Is an evaluation due at once, for an earlier engine died before it?
  [[nodiscard]] bool due(const Core& core) const;
  /// What this commit says, `gains` being what it commits. Valid until the next call.
  [[nodiscard]] const store::SliTick& judge(Core& core, const Gains& gains);
  /// Is it worth a commit of its own?
  [[nodiscard]] bool worth_a_commit() const noexcept { return worth_; }
  /// judge()'s answer is committed, or was worth no commit: levels change and are told.
  void settle(Core& core);
  /// Something waits for the end of its tick.
  [[nodiscard]] bool waits() const noexcept {
    return open_any_ || untold_ || !deliveries_.empty() || !orphans_.empty();
  }

  /// How an alert was told, to be stored with the next tick.
  void note_delivery(store::AlertDelivery delivery) { deliveries_.push_back(std::move(delivery)); }
  /// Alerts fired in this run of the engine, those of the attempt in hand too.
  [[nodiscard]] Triggered triggered() const;

 private:
  struct Entry {
    explicit Entry(sli::Definition definition) : tracker(std::move(definition)) {}
    sli::Tracker tracker;
    sli::TickData open;    // committed, not judged
    bool written = false;  // its row says what it is
    // Of the attempt in hand.
    sli::TickData gained;
    std::vector<sli::Outcome> outcomes;
  };

  [[nodiscard]] static std::vector<sli::Definition> definitions(const Core& core);
  void restore(Core& core, store::SavedSlis saved);
  void connect(Core& core);
  void assign(Core& core, std::uint32_t sid, const sli::KnownMetric& metric, const std::string& environment);
  void fill_budgets(Core& core, const std::vector<std::size_t>& of);
  void gather(const Gains& gains);
  void evaluate(Core& core, Entry& entry, const sli::Moment& now, bool stale);
  void tell(Core& core, const std::vector<AlertEvent>& news, bool again);
  [[nodiscard]] Entry* find(const std::string& name);

  std::deque<Entry> entries_;
  std::vector<AlertEvent> orphans_;  // alerts of SLIs that are no longer defined: to be cleared
  std::vector<std::string> gone_;
  SliFeeds feeds_;
  std::map<std::string, std::string> said_;  // flaws by SLI, each said once
  sli::Moment last_;                         // of the last evaluation
  std::int64_t open_end_unix_ns_ = 0;        // of the tick whose data is open
  bool open_any_ = false, untold_ = false;
  std::vector<store::AlertDelivery> deliveries_;
  Triggered triggered_;
  // Of the attempt in hand.
  store::SliTick tick_;
  std::vector<AlertEvent> news_;  // of tick_, in the order in which it happened
  sli::Moment now_;
  bool worth_ = false;
};

}  // namespace honeylink::telemetry::engine
