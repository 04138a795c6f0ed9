// Service levels and alerts for the terminal view: what the engine judged at its last tick, and out of the rings what
// the running one has gathered so far. Called by terminal_source.cc's thread only; nothing is written.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "query/live_reader.h"
#include "query/sli_reader.h"
#include "view/terminal_model.h"

namespace honeylink::telemetry::view {

class LevelLook {
 public:
  /// Not live: a file; its ages are measured by the newest that it holds.
  LevelLook(std::string home, bool live) : home_(std::move(home)), live_(live) {}

  /// The panels; nullptr: nothing changed since the last call. `anew`: look although nothing was stored.
  [[nodiscard]] std::shared_ptr<const LevelCards> look(bool anew);
  /// One of them over a longer time.
  [[nodiscard]] std::shared_ptr<const LevelDetail> look_at(const std::string& name, std::int64_t window_s);
  [[nodiscard]] std::shared_ptr<const AlertTable> look_at_alerts();

 private:
  [[nodiscard]] query::Answer<std::unique_ptr<query::SliReader>> open() const;
  void judge();
  bool overlay(LevelCards& cards) const;
  const std::string home_;
  const bool live_;
  std::uint64_t stamp_ = 0;
  std::int64_t judged_at_ns_ = 0;
  std::vector<query::SliView> views_;
  std::shared_ptr<const LevelCards> judged_;
  std::optional<query::LiveReader> rings_;
};

}  // namespace honeylink::telemetry::view
