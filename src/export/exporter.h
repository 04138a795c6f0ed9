// All that leaves as OTLP: a delivery for each signal of each valid receipt. Owned by the engine and fed on its thread;
// nothing here waits for a peer, but stop() up to two seconds.
//
// Must stay true: without a valid receipt there is no delivery, no thread and no socket (I-5).
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "consent/gate.h"
#include "consent/store.h"
#include "export/delivery.h"
#include "export/log_source.h"
#include "export/metric_source.h"
#include "export/span_source.h"

namespace honeylink::telemetry::exporting {

/// Destinations at once; a receipt beyond them is said and not served.
inline constexpr std::size_t kDestinationsMax = 8;

struct ExporterOptions {
  std::string home;
  const Clock* clock = nullptr;
  std::size_t bytes_max = 3'500'000;
  Compression compression = Compression::automatic;
};

/// How far the stores are.
struct StorePositions {
  std::uint64_t spans_stored = 0, log_position = 0;
  std::int64_t last_tick_unix_s = 0;
};

struct ExportReport {
  std::string endpoint;
  consent::Signal signal = consent::Signal::traces;
  DeliveryReport delivery;
  std::uint64_t backlog = 0, in_flight = 0;
  bool ended = false;  // the permit did
};

/// One owner.
class Exporter {
 public:
  explicit Exporter(ExporterOptions options);
  ~Exporter();

  /// Looks whether receipts came or went; `words`: what is to be said. True: deliveries changed.
  bool follow_receipts(const StorePositions& now, std::vector<std::string>& words);
  [[nodiscard]] bool wants(consent::Signal signal) const noexcept;

  void put_spans(std::shared_ptr<const store::SpanHandOver> spans);
  void spans_committed(std::uint64_t spans_stored);
  void spans_discarded(std::uint64_t spans_stored);
  void logs_committed(std::uint64_t position);
  void put_metrics(std::shared_ptr<const MetricHandOver> gains);

  /// For TraceStore::set_span_groups().
  [[nodiscard]] int span_group(std::uint64_t first, std::uint64_t last) const;
  [[nodiscard]] std::vector<ExportReport> take_reports();
  void stop();

 private:
  struct Served {
    std::string path;  // of the receipt
    consent::FileIdentity identity;
    std::unique_ptr<Delivery> delivery;
    SpanSource* spans = nullptr;  // of the delivery, one of the three
    LogSource* logs = nullptr;
    MetricSource* metrics = nullptr;
  };
  void serve(const consent::Checked& receipt, consent::Signal signal, const StorePositions& now,
             std::vector<std::string>& words);
  [[nodiscard]] bool is_served(const consent::Checked& receipt, consent::Signal signal) const;
  bool let_go_ended();

  const ExporterOptions options_;
  consent::Gate gate_;
  std::vector<Served> served_;
  std::vector<ExportReport> last_reports_;  // of deliveries that ended
  std::string directory_stamp_;
};

}  // namespace honeylink::telemetry::exporting
