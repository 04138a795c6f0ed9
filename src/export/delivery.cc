// See delivery.h.
#include "export/delivery.h"

#include <algorithm>
#include <chrono>

#include "base/file.h"
#include "base/sketch.h"

namespace honeylink::telemetry::exporting {
namespace {

constexpr std::int64_t kSaveNs = 5'000'000'000;  // a crash sends so much again
constexpr std::int64_t kIdleLookNs = 1'000'000'000;
constexpr std::size_t kWordsMax = 16;
constexpr std::size_t kRequestBytesMin = 4096;

std::uint64_t seed_of(const Clock& clock, const void* self) {
  return static_cast<std::uint64_t>(clock.monotonic_ns()) ^ reinterpret_cast<std::uintptr_t>(self);
}

}  // namespace

Delivery::Delivery(consent::Permit permit, std::unique_ptr<RecordSource> source, DeliveryOptions options)
    : permit_(std::move(permit)),
      source_(std::move(source)),
      options_(std::move(options)),
      clock_(options_.clock != nullptr ? *options_.clock : system_clock()),
      backoff_(seed_of(clock_, this)),
      bytes_max_(options_.bytes_max) {}

Delivery::~Delivery() { stop(); }

void Delivery::start() {
  if (!load_state()) acked_ = Acked(source_->first_allowed());
  thread_ = std::thread([this] { run(); });
}

void Delivery::wake() noexcept {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  changed_.notify_one();
}

void Delivery::discarded(std::uint64_t from) {
  const std::lock_guard lock(mutex_);
  acked_.forget_from(from);
  ++discards_;
}

void Delivery::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    if (sender_ != nullptr) sender_->cancel();
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

DeliveryReport Delivery::take_report() {
  const std::lock_guard lock(mutex_);
  report_.protocol = sender_ != nullptr ? sender_->protocol() : protocol_of(permit_.endpoint());
  return std::exchange(report_, {});
}

Acked::Part Delivery::acknowledged(Range range) const {
  const std::lock_guard lock(mutex_);
  return acked_.of(range);
}

void Delivery::say(std::string words) {
  if (words == said_) return;
  said_ = words;
  const std::lock_guard lock(mutex_);
  if (report_.words.size() < kWordsMax) report_.words.push_back(std::move(words));
}

// The young first; after each of them one small request of what is missing, so that neither starves.
std::optional<Batch> Delivery::choose() {
  if (!std::exchange(after_live_, false)) {
    if (auto batch = source_->live(bytes_max_)) {
      after_live_ = true;
      return batch;
    }
  }
  if (held_) return std::exchange(held_, std::nullopt);
  if (const auto gap = look_for_gap()) return source_->stored(*gap, std::min(bytes_max_, kBackfillBytes));
  return source_->live(bytes_max_);
}

std::optional<Range> Delivery::look_for_gap() {
  const std::uint64_t below = source_->stored_below();
  std::vector<Range> gaps;
  {
    const std::lock_guard lock(mutex_);
    gaps = acked_.gaps(below);
  }
  std::uint64_t backlog = 0;
  for (const Range& gap : gaps) backlog += source_->amount(gap);
  backlog_.store(backlog, std::memory_order_relaxed);
  return gaps.empty() ? std::nullopt : std::optional(gaps.front());
}

void Delivery::acknowledge(const Batch& batch) {
  std::uint64_t floor = 0;
  {
    const std::lock_guard lock(mutex_);
    dirty_ = true;
    if (discards_ != discards_before_) return;  // its numbers may mean other records by now
    acked_.add(batch.range);
    floor = acked_.floor();
  }
  source_->settled(batch, floor);
}

// What became of the batch, in the totals that are kept and in the report.
void Delivery::count(const Batch& batch, const Sent& sent) {
  const bool retried = sent.outcome.verdict == Verdict::retry, delivered = sent.outcome.verdict == Verdict::delivered;
  store::ExportTotals its;
  its.requests = batch.request.empty() ? 0 : 1;
  if (retried) {
    its.failures = 1, its.resent = batch.items;
  } else {
    its.rejected = delivered ? std::min(batch.items, sent.outcome.rejected) : 0;
    its.sent = delivered ? batch.items - its.rejected : 0;
    its.backfilled = batch.live ? 0 : its.sent;
    its.refused = delivered ? 0 : batch.items;
    its.unreadable = batch.unreadable, its.expired = batch.expired;
  }
  state_.totals.add(its);
  if (delivered && its.requests != 0) state_.answered_unix_ns = clock_.realtime_ns();
  const bool ours = sent.failure == net::Failure::not_permitted || sent.failure == net::Failure::cancelled;
  if (!retried && its.requests != 0) state_.failing_since_unix_ns = 0;
  else if (retried && state_.failing_since_unix_ns == 0 && !ours) state_.failing_since_unix_ns = clock_.realtime_ns();
  const std::lock_guard lock(mutex_);
  dirty_ = true;
  report_.add(its);
  if (its.requests != 0) observe(retried ? report_.failed_after_s : report_.took_s, sent.milliseconds / 1000);
}

void Delivery::settle(Batch& batch, const Sent& sent) {
  const Outcome& outcome = sent.outcome;
  if (outcome.verdict == Verdict::retry) return fail(batch, sent);
  if (outcome.verdict == Verdict::split && !halved_ && batch.items > 1 && batch.request.size() > kRequestBytesMin) {
    // C3: halved and sent once more. What it held is taken from the store.
    halved_ = true;
    ++state_.totals.requests;
    {
      const std::lock_guard lock(mutex_);
      ++report_.requests;
    }
    bytes_max_ = std::max(batch.request.size() / 2, kRequestBytesMin);
    source_->lost_live();
    source_->restart();
    return;
  }
  backoff_.reset();
  count(batch, sent);
  acknowledge(batch);
  const bool delivered = outcome.verdict == Verdict::delivered;
  if (!outcome.words.empty()) say(outcome.words);
  else if (delivered) said_.clear();
  if (halved_ && delivered) halved_ = false, bytes_max_ = std::min(bytes_max_ * 2, options_.bytes_max);
}

// Nothing is lost by letting young records go: they are in the store, or will be in a moment.
void Delivery::fail(Batch& batch, const Sent& sent) {
  count(batch, sent);
  if (batch.live) source_->lost_live();
  else held_ = std::move(batch);
  if (sent.failure == net::Failure::not_permitted || sent.failure == net::Failure::cancelled) return;
  say(sent.outcome.words);
  retry_at_ns_ = clock_.monotonic_ns() + backoff_.next(sent.outcome.wait_ns, net::is_refusal(sent.failure));
}

bool Delivery::send_next() {
  {
    const std::lock_guard lock(mutex_);
    if (discards_before_ != discards_) held_.reset(), source_->restart();
    discards_before_ = discards_;
  }
  std::optional<Batch> batch = choose();
  if (!batch) return false;
  if (batch->request.empty()) {
    if (batch->unreadable != 0 || batch->expired != 0)
      count(*batch, Sent{{Verdict::delivered, 0, 0, {}}, net::Failure::none, 0});
    acknowledge(*batch);
    return batch->range.first != batch->range.last;
  }
  if (sender_ == nullptr) {
    std::string why;
    std::shared_ptr<Sender> made = Sender::make(permit_, why, options_.compression);
    const std::lock_guard lock(mutex_);
    sender_ = std::move(made);
    if (stopping_) return false;
    if (sender_ == nullptr) {
      retry_at_ns_ = clock_.monotonic_ns() + kRefusalWaitNs;
      if (!batch->live) held_ = std::move(batch);
      if (report_.words.size() < kWordsMax) report_.words.push_back(why);
      return false;
    }
  }
  in_flight_.store(batch->items, std::memory_order_relaxed);
  const Sent sent = sender_->send(batch->request);
  in_flight_.store(0, std::memory_order_relaxed);
  settle(*batch, sent);
  return true;
}

void Delivery::rest(std::int64_t until_ns) {
  std::unique_lock lock(mutex_);
  const auto span = std::chrono::nanoseconds(std::max<std::int64_t>(until_ns - clock_.monotonic_ns(), 0));
  changed_.wait_for(lock, span, [&] { return stopping_ || (woken_ && retry_at_ns_ == 0); });
  woken_ = false;
}

void Delivery::run() {
  for (;;) {
    const std::int64_t now = clock_.monotonic_ns();
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) break;
    }
    if ((dirty_ || backlog() != state_.backlog) && now - saved_at_ns_ >= kSaveNs) save_state();
    if (!permit_.valid()) break;
    if (sender_ != nullptr && !sender_->still_permitted()) break;
    if (now < retry_at_ns_) {
      (void)look_for_gap();
      rest(std::min(retry_at_ns_, now + kIdleLookNs));
      continue;
    }
    if (std::exchange(retry_at_ns_, 0) != 0) source_->lost_live();
    if (!send_next()) rest(now + kIdleLookNs);
  }
  save_state();
  const std::lock_guard lock(mutex_);
  sender_.reset();
  ended_ = true;
}

// A file that is missing or none: what the grant allows is sent, some of it perhaps again.
bool Delivery::load_state() {
  std::string text, why;
  if (!read_whole(options_.state_file, store::kExportStateBytesMax, text, why)) return false;
  if (!store::read_export_state(text, state_)) return false;
  auto acked = Acked::parse(state_.acknowledged);
  if (!acked) return false;
  acked_ = std::move(*acked);
  return true;
}

void Delivery::save_state() {
  {
    const std::lock_guard lock(mutex_);
    state_.acknowledged = acked_.text();
    dirty_ = false;
  }
  state_.backlog = backlog();
  state_.said = said_;
  std::string why;
  if (!replace_file(options_.state_file, store::write_export_state(state_), 0600, why)) dirty_ = true, say(why);
  source_->save();
  saved_at_ns_ = clock_.monotonic_ns();
}

}  // namespace honeylink::telemetry::exporting
