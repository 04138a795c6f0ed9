// See metric_source.h.
#include "export/metric_source.h"

#include <algorithm>

#include "base/file.h"
#include "base/sketch.h"

namespace honeylink::telemetry::exporting {
namespace {

constexpr std::size_t kTicksMax = 32;  // that wait; beyond it they are read back from the store
constexpr std::size_t kTotalsBytesMax = std::size_t{64} << 20;

std::uint64_t number_of(std::int64_t unix_s) noexcept {
  return unix_s < 0 ? 0 : static_cast<std::uint64_t>(unix_s / kTickSeconds);
}

}  // namespace

MetricSource::MetricSource(MetricSourceOptions options)
    : options_(std::move(options)),
      stored_(options_.database, options_.from_unix_ns),
      committed_(number_of(options_.last_tick_unix_s) + 1),
      begins_at_(committed_) {}

void MetricSource::put(std::shared_ptr<const MetricHandOver> gains) {
  const std::lock_guard lock(mutex_);
  if (!gains->tick) {
    look_ = std::move(gains);
    return;
  }
  look_.reset();  // it spoke of the interval that is over
  committed_ = std::max(committed_, number_of(gains->tick_unix_s) + 1);
  ticks_.push_back(std::move(gains));
  if (ticks_.size() <= kTicksMax) return;
  ticks_.clear();
  overflowed_ = true;
}

bool MetricSource::has_live() const {
  const std::lock_guard lock(mutex_);
  return !ticks_.empty() || look_ != nullptr;
}

std::uint64_t MetricSource::stored_below() {
  const std::lock_guard lock(mutex_);
  if (!begun_) return std::min(committed_, begins_at_);
  return ticks_.empty() ? std::min(committed_, taken_) : std::min(number_of(ticks_.front()->tick_unix_s), taken_);
}

std::uint64_t MetricSource::first_allowed() { return number_of(options_.from_unix_ns / 1'000'000'000) + 1; }

void MetricSource::load() {
  if (std::exchange(loaded_, true)) return;
  std::string bytes, why;
  if (!read_whole(options_.totals_file, kTotalsBytesMax, bytes, why) || !past_.read(bytes, past_at_))
    past_.clear(), past_at_ = first_allowed();
}

// Young points need the totals before them: those of the file, and what was stored since. The first tick that is whole
// in the queue is where the store ends and the queue begins.
bool MetricSource::begin() {
  std::uint64_t from = 0;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(overflowed_, false)) begins_at_ = committed_;
    while (!ticks_.empty() && number_of(ticks_.front()->tick_unix_s) < begins_at_) ticks_.pop_front();
    if (ticks_.empty()) return false;
    from = number_of(ticks_.front()->tick_unix_s);
  }
  load();
  stored_.restart(past_);  // within a window that is partly read they are neither those before it nor those behind
  MetricTotals totals = past_;
  if (past_at_ < from && !stored_.add({past_at_, from}, totals)) return false;
  now_ = std::move(totals);
  taken_ = from;
  young_.clear();
  return begun_ = true;
}

std::optional<Batch> MetricSource::tick(const MetricHandOver& gains, std::size_t bytes_max) {
  const std::uint64_t number = std::max(number_of(gains.tick_unix_s), taken_ == 0 ? 0 : taken_ - 1);
  sids_.clear();
  MetricRequest request;
  Batch batch;
  const auto finish = [&] {
    batch.live = batch.part = true;
    batch.range = {taken_, taken_};
    batch.items = request.points();
    batch.request = request.finish();
    ready_.push_back(std::exchange(batch, {}));
  };
  for (const MetricHandOver::Gain& gain : gains.gains) {
    MetricDelta delta = gain.delta;
    delta.sketch = &gain.sketch;
    const Total& total = now_.add(delta, gains.tick_unix_s);
    sids_.push_back(delta.sid);
    const SeriesInfo* series = stored_.series(delta.sid);
    if (series == nullptr) continue;
    if (request.bytes() >= bytes_max) finish();
    request.add(point_of(*series, total, options_.from_unix_ns, gains.time_unix_ns));
    young_[delta.sid] = {total.integer, total.sketch.count, total.real};
  }
  finish();
  ready_.back().range = {taken_, number + 1}, ready_.back().part = false;
  taken_ = number + 1;
  return take_ready();
}

std::optional<Batch> MetricSource::take_ready() {
  if (ready_.empty()) return std::nullopt;
  Batch batch = std::move(ready_.front());
  ready_.pop_front();
  return batch;
}

std::optional<Batch> MetricSource::look(const MetricHandOver& gains) {
  MetricRequest request;
  std::deque<Total> held;  // the request points into them
  for (const MetricHandOver::Gain& gain : gains.gains) {
    const SeriesInfo* series = stored_.series(gain.delta.sid);
    if (series == nullptr) continue;  // its first tick is yet to come
    MetricTotals one;
    if (const Total* before = now_.find(gain.delta.sid)) one.set(gain.delta.sid, *before);
    MetricDelta delta = gain.delta;
    delta.sketch = &gain.sketch;
    const Total& total = one.add(delta, gains.time_unix_ns / 1'000'000'000);
    const Young value{total.integer, total.sketch.count, total.real};
    Young& sent = young_[gain.delta.sid];
    if (sent == value) continue;
    sent = value;
    request.add(point_of(*series, held.emplace_back(total), options_.from_unix_ns, gains.time_unix_ns));
  }
  if (request.points() == 0) return std::nullopt;
  Batch batch;
  batch.live = batch.part = true;
  batch.range = {taken_, taken_};
  batch.items = request.points();
  batch.request = request.finish();
  return batch;
}

std::optional<Batch> MetricSource::live(std::size_t bytes_max) {
  {
    const std::lock_guard lock(mutex_);
    if (overflowed_) begun_ = false, ready_.clear();
  }
  if (!begun_ && !begin()) return std::nullopt;
  if (auto batch = take_ready()) return batch;
  std::shared_ptr<const MetricHandOver> next;
  {
    const std::lock_guard lock(mutex_);
    if (!ticks_.empty()) {
      next = std::move(ticks_.front());
      ticks_.pop_front();
    } else {
      next = std::exchange(look_, nullptr);
    }
  }
  if (next == nullptr) return std::nullopt;
  return next->tick ? tick(*next, bytes_max) : look(*next);
}

std::optional<Batch> MetricSource::stored(Range gap, std::size_t bytes_max) {
  load();
  if (!stored_.is_reading(gap.first)) stored_.restart(past_);
  if (past_at_ > gap.first) {  // the file of acknowledgements is older than that of the totals
    past_.clear();
    past_at_ = first_allowed();
  }
  if (!stored_.add({past_at_, gap.first}, past_)) return std::nullopt;
  past_at_ = gap.first;
  return stored_.next(gap, bytes_max, past_);
}

void MetricSource::settled(const Batch& batch, std::uint64_t floor) {
  const bool here = batch.range.first == past_at_;
  if (here && batch.live && !batch.part) {
    for (const std::uint32_t sid : sids_)
      if (const Total* total = now_.find(sid)) past_.set(sid, *total);
  }
  if (here && (batch.live || stored_.acknowledge(batch.range))) past_at_ = std::max(past_at_, batch.range.last);
  // A gap was closed: what was acknowledged beyond it is part of the totals, too.
  if (floor > past_at_ && stored_.add({past_at_, floor}, past_)) past_at_ = floor;
}

void MetricSource::save() {
  if (!loaded_) return;
  std::string why;
  (void)replace_file(options_.totals_file, past_.bytes(past_at_), 0600, why);  // without it a restart reads more
}

}  // namespace honeylink::telemetry::exporting
