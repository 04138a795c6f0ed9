// See delivery.h.
#include "export/delivery.h"

#include <algorithm>
#include <chrono>

#include "base/file.h"

namespace honeylink::telemetry::exporting {
namespace {

constexpr std::int64_t kSaveNs = 5'000'000'000;  // a crash sends so much again
constexpr std::int64_t kIdleLookNs = 1'000'000'000;
constexpr std::size_t kTimesMax = 1000, kWordsMax = 16;
constexpr std::size_t kRequestBytesMin = 4096;
constexpr std::string_view kStateHead = "honeytel-export 1\n";
constexpr std::size_t kStateBytesMax = 64 * 1024;

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
  const std::uint64_t below = source_->stored_below();
  std::optional<Range> gap;
  {
    const std::lock_guard lock(mutex_);
    gap = acked_.first_gap(below);
    missing_.store(acked_.missing(below), std::memory_order_relaxed);
  }
  if (gap) return source_->stored(*gap, std::min(bytes_max_, kBackfillBytes));
  return source_->live(bytes_max_);
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

void Delivery::settle(Batch& batch, const Sent& sent) {
  const Outcome& outcome = sent.outcome;
  {
    const std::lock_guard lock(mutex_);
    ++report_.requests;
    if (report_.milliseconds.size() < kTimesMax) report_.milliseconds.push_back(sent.milliseconds);
  }
  if (outcome.verdict == Verdict::retry) return fail(batch, sent);
  if (outcome.verdict == Verdict::split && !halved_ && batch.items > 1 && batch.request.size() > kRequestBytesMin) {
    // C3: halved and sent once more. What it held is taken from the store.
    halved_ = true;
    bytes_max_ = std::max(batch.request.size() / 2, kRequestBytesMin);
    source_->lost_live();
    source_->restart();
    return;
  }
  backoff_.reset();
  acknowledge(batch);
  const bool delivered = outcome.verdict == Verdict::delivered;
  {
    const std::lock_guard lock(mutex_);
    report_.sent += delivered ? batch.items - std::min(batch.items, outcome.rejected) : 0;
    report_.backfilled += delivered && !batch.live ? batch.items : 0;
    report_.rejected += delivered ? outcome.rejected : 0;
    report_.refused += delivered ? 0 : batch.items;
  }
  if (!outcome.words.empty()) say(outcome.words);
  else if (delivered) said_.clear();
  if (halved_ && delivered) halved_ = false, bytes_max_ = std::min(bytes_max_ * 2, options_.bytes_max);
}

// Nothing is lost by letting young records go: they are in the store, or will be in a moment.
void Delivery::fail(Batch& batch, const Sent& sent) {
  {
    const std::lock_guard lock(mutex_);
    ++report_.failures;
    report_.resent += batch.items;
  }
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
  if (batch->unreadable != 0) {
    const std::lock_guard lock(mutex_);
    report_.unreadable += batch->unreadable;
  }
  if (batch->request.empty()) {
    acknowledge(*batch);
    return batch->range.first != batch->range.last;
  }
  if (sender_ == nullptr) {
    std::string why;
    std::shared_ptr<Sender> made = Sender::make(permit_, why);
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
  const Sent sent = sender_->send(batch->request);
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
    if (dirty_ && now - saved_at_ns_ >= kSaveNs) save_state();
    if (!permit_.valid()) break;
    if (sender_ != nullptr && !sender_->still_permitted()) break;
    if (now < retry_at_ns_) {
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
  if (!read_whole(options_.state_file, kStateBytesMax, text, why)) return false;
  std::string_view rest = text;
  if (!rest.starts_with(kStateHead) || !rest.ends_with('\n')) return false;
  rest.remove_prefix(kStateHead.size()), rest.remove_suffix(1);
  auto acked = Acked::parse(rest);
  if (!acked) return false;
  acked_ = std::move(*acked);
  return true;
}

void Delivery::save_state() {
  std::string text;
  {
    const std::lock_guard lock(mutex_);
    text = std::string(kStateHead) + acked_.text() + "\n";
  }
  std::string why;
  if (replace_file(options_.state_file, text, 0600, why)) dirty_ = false;
  else say(why);
  source_->save();
  saved_at_ns_ = clock_.monotonic_ns();
}

}  // namespace honeylink::telemetry::exporting
