// See span_feed.h.
#include "export/span_feed.h"

#include <utility>

namespace honeylink::telemetry::exporting {
namespace {

constexpr std::uint64_t kAnyNumber = UINT64_MAX;

template <class Names>
void append(Names& to, const Names& from) {
  to.insert(to.end(), from.begin(), from.end());
}

void keep_names(store::TraceNames& to, const store::TraceNames& from) {
  append(to.texts, from.texts), append(to.scopes, from.scopes), append(to.sources, from.sources);
}

}  // namespace

void SpanFeed::put(std::shared_ptr<const store::SpanHandOver> spans) {
  const std::lock_guard lock(mutex_);
  waiting_bytes_ += spans->bytes.size();
  waiting_.push_back(std::move(spans));
  while (waiting_bytes_ > kLiveBytesMax) {
    keep_names(lost_names_, waiting_.front()->names);
    waiting_bytes_ -= waiting_.front()->bytes.size();
    waiting_.pop_front();
  }
}

void SpanFeed::drop() {
  const std::lock_guard lock(mutex_);
  for (const auto& spans : waiting_) keep_names(lost_names_, spans->names);
  waiting_.clear();
  waiting_bytes_ = 0;
  dropped_ = true;
}

bool SpanFeed::any() const {
  const std::lock_guard lock(mutex_);
  return !waiting_.empty();
}

std::uint64_t SpanFeed::first_waiting() const {
  const std::lock_guard lock(mutex_);
  if (now_ != nullptr && !dropped_) return now_->first + done_;
  return waiting_.empty() ? UINT64_MAX : waiting_.front()->first;
}

std::shared_ptr<const store::SpanHandOver> SpanFeed::take_next(std::uint64_t expected) {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty() || (expected != kAnyNumber && waiting_.front()->first != expected)) return nullptr;
  auto next = std::move(waiting_.front());
  waiting_.pop_front();
  waiting_bytes_ -= next->bytes.size();
  names_.learn(lost_names_);
  lost_names_ = {};
  return next;
}

std::optional<Batch> SpanFeed::next(std::size_t bytes_max) {
  Batch batch;
  batch.live = true;
  bool any = false;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(dropped_, false)) now_.reset();
  }
  while (request_.bytes() < bytes_max) {
    if (now_ == nullptr) {
      now_ = take_next(any ? batch.range.last : kAnyNumber);
      if (now_ == nullptr) break;
      names_.learn(now_->names);
      blob_ = store::TraceBlob(now_->bytes, now_->base_unix_ns, now_->count);
      done_ = 0;
    }
    if (!any) batch.range.first = now_->first + done_;
    any = true;
    store::StoredSpan span;
    bool more = false;
    while (request_.bytes() < bytes_max && (more = blob_.next(span))) {
      ++done_;
      if (span.start_unix_ns < from_unix_ns_) continue;
      if (request_.add(span, names_)) ++batch.items;
      else ++batch.unreadable;
    }
    batch.range.last = now_->first + done_;
    if (done_ >= now_->count || !more) now_.reset();
  }
  if (!any) return std::nullopt;
  batch.request = request_.finish();
  return batch;
}

}  // namespace honeylink::telemetry::exporting
