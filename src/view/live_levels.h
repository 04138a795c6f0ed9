// Service levels and alerts as frames of the event stream: what the running tick holds so far by the rings, and what
// the engine judged and fired, read anew whenever its file changed (docs/formats/view_api.md, "Live"). One thread: the
// live hub's.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "query/live_slis.h"

namespace honeylink::telemetry::view {

class LiveLevels {
 public:
  LiveLevels(std::string home, bool is_file) : home_(std::move(home)), is_file_(is_file) {}

  /// After each look at the rings.
  void look(const query::LiveReader& rings, std::int64_t now_unix_ns);
  /// What this look found changed, as frames "slis" and "alerts"; empty: nothing.
  [[nodiscard]] const std::string& changed() const noexcept { return changed_; }
  /// Every level, for who has just come. Alerts are told when they fire or clear only.
  [[nodiscard]] std::string all() const;

 private:
  /// What is told of one level; told again when it is another.
  struct Told {
    std::string state;
    double value = 0, count = 0;
    std::uint32_t consecutive = 0;
  };
  void judge(std::int64_t now_unix_ns);
  void note_alerts(const std::vector<query::AlertView>& alerts);
  [[nodiscard]] std::string slis_frame(const std::vector<std::size_t>& which) const;

  const std::string home_;
  const bool is_file_;
  std::uint64_t stamp_ = 0;
  std::int64_t judged_at_unix_ns_ = 0;
  std::vector<query::SliView> views_;
  std::vector<Told> told_;                      // by the index of views_
  std::map<std::string, std::int64_t> alerts_;  // alert_id -> cleared_at
  bool knows_alerts_ = false;
  std::int64_t now_unix_ns_ = 0;
  std::string changed_, fired_;
};

}  // namespace honeylink::telemetry::view
