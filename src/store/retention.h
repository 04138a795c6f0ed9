// The work of MetricStore::maintain(): what is due next, and doing it in slices (docs/formats/metrics_db.md, Retention;
// decision 0010).
//
// Must stay true: a transaction that writes a segment deletes what it replaces, and only if all of that is still there;
// the clock never goes back; a damaged segment costs itself, counted.
#pragma once
#include <memory>
#include <optional>

#include "base/clock.h"
#include "store/database.h"
#include "store/point_gather.h"

namespace honeylink::telemetry::store {

/// Largest time seen. It never goes back and follows a jump forward at sixty times the pace of the monotonic clock, so
/// that a wrong clock does not delete a year in one tick. A value; one thread.
class RetentionClock {
 public:
  /// As it was stored; 0: never.
  void begin(std::int64_t stored_s) noexcept { now_s_ = stored_s, followed_ns_ = -1; }
  void follow(std::int64_t seen_unix_s, std::int64_t monotonic_ns) noexcept;
  [[nodiscard]] std::int64_t now_s() const noexcept { return now_s_; }

 private:
  std::int64_t now_s_ = 0, followed_ns_ = -1;
};

/// Not thread-safe; belongs to one MetricStore, uses its database between commits.
class Retention {
 public:
  Retention(Database& database, std::uint64_t bytes_max) noexcept
      : database_(database), statements_(database.connection()), bytes_max_(bytes_max) {}
  struct Slice {
    CommitResult result = CommitResult::ok;
    bool worked = false, committed = false;
  };
  /// A part of the work in hand, or the next work. Nothing worked: there is nothing to do.
  [[nodiscard]] Slice next(std::int64_t now_s);

 private:
  struct Input {
    std::int64_t id = 0;
    std::uint64_t n = 0;
    std::optional<SegmentDirectory> directory;
    Bytes blob;
  };
  /// Ticks of `hot` on their way into segments.
  struct Packing {
    std::int64_t next_row = 0, last_row = 0;
    std::uint64_t rows = 0;
    PointGather gather;
    std::vector<PointGather::Packed> done;
    bool read = false;
  };
  /// Segments of one group and window on their way into one.
  struct Rolling {
    SegmentGrid grid;
    std::uint32_t group = 0;
    std::vector<Input> inputs;
    std::vector<std::uint32_t> sids;
    std::size_t next_sid = 0;
    std::unique_ptr<SegmentWriter> writer;
    std::uint64_t lost = 0;
  };

  bool plan(std::int64_t now_s);
  bool plan_packing();
  bool plan_rolling(std::int64_t now_s);
  bool plan_pressure(std::int64_t now_s);
  bool begin_rolling(const Tier& from, const Tier& to, std::int64_t group, std::int64_t window, std::int64_t due_s);
  bool roll_oldest(const Tier& from, const Tier& to, std::int64_t due_s);
  void load(Rolling& rolling, std::int64_t id, std::uint64_t n, std::span<const std::uint8_t> blob);
  Slice go_on_packing();
  Slice go_on_rolling();
  CommitResult commit_packing();
  CommitResult commit_rolling();
  CommitResult write(const SegmentGrid& grid, std::uint32_t group, std::uint64_t points, const Bytes& blob);
  Slice expire(std::int64_t now_s);
  Slice give_back_pages();
  int count(std::string_view name, std::uint64_t n);
  [[nodiscard]] bool over_soft_cap();
  CommitResult end(bool whole);

  Database& database_;
  StatementCache statements_;
  std::uint64_t bytes_max_;
  SegmentWorkspace work_;
  std::unique_ptr<Packing> packing_;
  std::unique_ptr<Rolling> rolling_;
  std::int64_t idle_until_s_ = 0;  // nothing will be due before, unless something is packed
  std::int64_t seen_s_ = 0;
};

}  // namespace honeylink::telemetry::store
