// One signal on its way to one destination: a thread that sends young records first, then what is missing, and
// remembers what was acknowledged.
//
// start(), wake(), discarded(), stop(), take_report() and acknowledged() may be called from any thread and wait for no
// peer (stop(): two seconds at most). Must stay true: nothing is sent without a valid permit; a range is acknowledged
// when the peer has answered, or refused it for good, and then it is counted; earlier records never delay young ones by
// more than one small request.
#pragma once
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/events.h"
#include "export/acked.h"
#include "export/backoff.h"
#include "export/record_source.h"
#include "export/sender.h"
#include "store/export_state.h"

namespace honeylink::telemetry::exporting {

/// What happened since the last report.
struct DeliveryReport : store::ExportTotals {
  Protocol protocol = Protocol::grpc;  // that is spoken now
  Sketch took_s, failed_after_s;       // requests that the peer took or refused, and those that are tried again
  std::vector<std::string> words;      // to be said once
};

struct DeliveryOptions {
  std::string state_file;  // docs/formats/export_state.md
  const Clock* clock = nullptr;
  std::size_t bytes_max = 3'500'000;  // of a request; the Collector refuses 4 MiB
  Compression compression = Compression::none;
};

class Delivery {
 public:
  Delivery(consent::Permit permit, std::unique_ptr<RecordSource> source, DeliveryOptions options);
  ~Delivery();
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

  void start();
  /// Something waits to be sent.
  void wake() noexcept;
  /// Positions from this one on were never stored: they come again.
  void discarded(std::uint64_t from);
  void stop();
  [[nodiscard]] DeliveryReport take_report();
  /// How much of a range has been acknowledged (span_pack.h: what may share a block).
  [[nodiscard]] Acked::Part acknowledged(Range range) const;
  /// What is stored and not acknowledged (RecordSource::amount).
  [[nodiscard]] std::uint64_t backlog() const noexcept { return backlog_.load(std::memory_order_relaxed); }
  /// Items of the request that is under way.
  [[nodiscard]] std::uint64_t in_flight() const noexcept { return in_flight_.load(std::memory_order_relaxed); }
  /// Its permit ended, or stop() was called.
  [[nodiscard]] bool ended() const noexcept { return ended_; }
  [[nodiscard]] RecordSource& source() noexcept { return *source_; }
  [[nodiscard]] const consent::Permit& permit() const noexcept { return permit_; }

 private:
  void run();
  bool send_next();
  std::optional<Batch> choose();
  void settle(Batch& batch, const Sent& sent);
  void acknowledge(const Batch& batch);
  void fail(Batch& batch, const Sent& sent);
  void count(const Batch& batch, const Sent& sent);
  std::optional<Range> look_for_gap();
  void say(std::string words);
  bool load_state();
  void save_state();
  void rest(std::int64_t until_ns);

  const consent::Permit permit_;
  const std::unique_ptr<RecordSource> source_;
  const DeliveryOptions options_;
  const Clock& clock_;

  mutable std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  Acked acked_;
  DeliveryReport report_;
  bool stopping_ = false, woken_ = false;
  std::uint64_t discards_ = 0;
  std::atomic<std::uint64_t> backlog_{0}, in_flight_{0};
  std::atomic<bool> ended_{false};

  // The thread's own.
  std::shared_ptr<Sender> sender_;  // shared with stop(), which cancels
  Backoff backoff_;
  std::optional<Batch> held_;  // earlier records that a failure left over
  std::size_t bytes_max_;
  bool halved_ = false, after_live_ = false, dirty_ = false;
  std::uint64_t discards_before_ = 0;  // the batch that is being sent was chosen
  std::int64_t retry_at_ns_ = 0, saved_at_ns_ = 0;
  store::ExportState state_;  // but for its positions, which are acked_'s
  std::string said_;
  std::thread thread_;
};

}  // namespace honeylink::telemetry::exporting
