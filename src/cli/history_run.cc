// See history_run.h: the writing half.
#include "cli/history_run.h"

#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "base/clock.h"
#include "cli/progress.h"
#include "record/histogram_index.h"
#include "store/metric_store.h"

namespace honeylink::telemetry::cli {
namespace {

constexpr std::int64_t kBegin = 1'699'488'000;  // any multiple of ten days
constexpr std::size_t kBatch = 60;              // ticks of a transaction: the engine's have one
constexpr int kLiveScale = 6;
constexpr int kReopenings = 5;  // each reads the whole file

double since(std::chrono::steady_clock::time_point began) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

/// Bytes that this process has handed to write(), so far.
std::uint64_t written_so_far() {
  std::FILE* io = std::fopen("/proc/self/io", "re");
  if (io == nullptr) return 0;
  unsigned long long bytes = 0;
  char line[128];
  while (std::fgets(line, sizeof line, io) != nullptr) {
    if (std::sscanf(line, "wchar: %llu", &bytes) == 1) break;
  }
  std::fclose(io);
  return bytes;
}

void sketch_of(const std::vector<double>& values, Sketch& sketch) {
  sketch.scale = kLiveScale;
  sketch.zeros = 0, sketch.count = values.size(), sketch.sum = 0;
  sketch.buckets.clear();
  if (values.empty()) return;
  std::int32_t low = INT32_MAX, high = INT32_MIN;
  for (const double value : values) {
    const std::int32_t index = internal::bucket_index(value);
    low = std::min(low, index), high = std::max(high, index);
  }
  sketch.offset = low;
  sketch.min = sketch.max = values.front();
  sketch.buckets.resize(static_cast<std::size_t>(high - low + 1), 0);
  for (const double value : values) {
    ++sketch.buckets[static_cast<std::size_t>(internal::bucket_index(value) - low)];
    sketch.sum += value;
    sketch.min = std::min(sketch.min, value), sketch.max = std::max(sketch.max, value);
  }
}

/// Ticks on their way into one transaction.
struct Batch {
  std::vector<std::vector<MetricDelta>> deltas;
  std::vector<std::vector<Sketch>> sketches;
  std::vector<store::MetricTick> ticks;
  std::size_t used = 0;
  std::uint64_t points = 0;
};

class Writer {
 public:
  Writer(const HistoryData& data, const HistoryPlan& plan, HistoryOutcome& out)
      : data_(data), plan_(plan), out_(out), clock_(kBegin * 1'000'000'000) {
    options_.home = plan.home, options_.clock = &clock_, options_.metrics_bytes_max = plan.cap_bytes;
    options_.synchronous = false;
  }

  std::optional<query::Problem> run(Progress& progress) {
    if (auto problem = open()) return problem;
    int reopened = 0;
    for (std::int64_t tick = 0; tick < plan_.ticks; ++tick) {
      if (data_.restarts_at(tick) && reopened++ < kReopenings) {
        if (auto problem = flush()) return problem;
        if (auto problem = open()) return problem;
      }
      if (!data_.is_silent(tick)) add(tick);
      clock_.advance(HistoryData::kTickSeconds * 1'000'000'000);
      if (batch_.used < kBatch && tick + 1 < plan_.ticks) continue;
      if (auto problem = flush()) return problem;
      progress.update(static_cast<double>(tick) / static_cast<double>(plan_.ticks));
    }
    out_.disk_bytes = store_->disk_bytes();
    return std::nullopt;
  }

 private:
  std::optional<query::Problem> open() {
    std::string said;
    store_.reset();
    store_ = store::MetricStore::open(options_, said);
    if (store_ == nullptr || store_->begin_epoch() == 0)
      return query::Problem{query::ProblemKind::environment, "the history cannot be written", said,
                            "choose another --keep"};
    sids_.clear();
    for (std::size_t i = 0; i < data_.scalars() + data_.histograms(); ++i)
      sids_.push_back(store_->series_id(data_.info(i)));
    return std::nullopt;
  }

  void add(std::int64_t tick) {
    if (batch_.deltas.size() == batch_.used) batch_.deltas.emplace_back(), batch_.sketches.emplace_back();
    auto& deltas = batch_.deltas[batch_.used];
    auto& sketches = batch_.sketches[batch_.used];
    deltas.clear();
    sketches.resize(data_.histograms());
    for (std::size_t i = 0; i < sids_.size(); ++i) {
      MetricDelta delta;
      delta.sid = sids_[i], delta.kind = data_.kind(i);
      if (i >= data_.scalars()) {
        data_.observations(i, tick, values_);
        if (values_.empty()) continue;
        Sketch& sketch = sketches[i - data_.scalars()];
        sketch_of(values_, sketch);
        delta.sketch = &sketch;
      } else {
        std::uint64_t value = 0;
        if (!data_.scalar(i, tick, value)) continue;
        if (delta.kind == MetricType::counter || delta.kind == MetricType::up_down) delta.integer = value;
        else std::memcpy(&delta.real, &value, sizeof value);
      }
      deltas.push_back(delta);
    }
    batch_.points += deltas.size();
    batch_.ticks.push_back({kBegin + tick * HistoryData::kTickSeconds, deltas});
    ++batch_.used;
  }

  std::optional<query::Problem> flush() {
    const std::int64_t now = clock_.realtime_ns() / 1'000'000'000;
    if (batch_.used != 0) {
      store::Counts counts;
      counts.accepted = counts.stored = batch_.points;
      if (const auto result = store_->commit_ticks(batch_.ticks, 0, 0, counts, {}, false);
          result != store::CommitResult::ok)
        return refused(result);
      out_.ticks += batch_.used, out_.points += batch_.points;
      batch_.used = 0, batch_.points = 0;
      batch_.ticks.clear();
    }
    measure();
    for (bool more = true; more;) {
      const store::MetricUpkeep did = store_->maintain(now, 0);
      if (did.result != store::CommitResult::ok) return refused(did.result);
      more = did.more;
      if (did.steps != 0) measure();
    }
    store_->checkpoint();
    measure();
    return std::nullopt;
  }

  query::Problem refused(store::CommitResult result) const {
    return {query::ProblemKind::failed, "the store refused the history: " + std::string(store::name_of(result)),
            store_->why(), ""};
  }
  void measure() { out_.disk_bytes_most = std::max(out_.disk_bytes_most, store_->disk_bytes()); }

  const HistoryData& data_;
  const HistoryPlan& plan_;
  HistoryOutcome& out_;
  ManualClock clock_;
  store::StoreOptions options_;
  std::unique_ptr<store::MetricStore> store_;
  std::vector<std::uint32_t> sids_;
  std::vector<double> values_;
  Batch batch_;
};

}  // namespace

query::Answer<HistoryOutcome> run_history(const Call& call, const HistoryPlan& plan) {
  HistoryOutcome out;
  const HistoryData data(plan.scalars, plan.histograms);
  const auto began = std::chrono::steady_clock::now();
  const std::uint64_t written = written_so_far();
  {
    Progress progress(call.terminal, "writing");
    Writer writer(data, plan, out);
    if (auto problem = writer.run(progress)) return *problem;
  }
  out.seconds_to_write = since(began);
  out.written_bytes = written_so_far() - written;
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  out.rss_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
  const auto checking = std::chrono::steady_clock::now();
  if (auto problem = check_history(call, data, plan, kBegin, out)) return *problem;
  out.seconds_to_check = since(checking);
  return out;
}

}  // namespace honeylink::telemetry::cli
