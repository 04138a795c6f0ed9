// See exporter.h.
#include "export/exporter.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/file.h"
#include "export/purge.h"
#include "store/span_pack.h"

namespace honeylink::telemetry::exporting {
namespace {

using consent::Signal;

constexpr Signal kSignals[] = {Signal::traces, Signal::logs, Signal::metrics};

const Clock& clock_of(const ExporterOptions& options) noexcept {
  return options.clock != nullptr ? *options.clock : system_clock();
}

std::string stamp_of(const std::string& directory) {
  struct stat info {};
  if (::lstat(directory.c_str(), &info) != 0) return {};
  return std::to_string(info.st_ino) + "." + std::to_string(info.st_mtim.tv_sec) + "." +
         std::to_string(info.st_mtim.tv_nsec);
}

}  // namespace

Exporter::Exporter(ExporterOptions options) : options_(std::move(options)), gate_(options_.home, clock_of(options_)) {}
Exporter::~Exporter() { stop(); }

void Exporter::stop() {
  for (Served& its : served_) its.delivery->stop();
  served_.clear();
}

bool Exporter::wants(Signal signal) const noexcept {
  return std::any_of(served_.begin(), served_.end(),
                     [&](const Served& its) { return its.delivery->permit().signal() == signal; });
}

bool Exporter::is_served(const consent::Checked& receipt, Signal signal) const {
  return std::any_of(served_.begin(), served_.end(), [&](const Served& its) {
    return its.path == receipt.path && its.identity == receipt.identity && its.delivery->permit().signal() == signal;
  });
}

bool Exporter::let_go_ended() {
  const std::size_t before = served_.size();
  for (Served& its : served_) {
    if (!its.delivery->ended()) continue;
    its.delivery->stop();
    last_reports_.push_back({its.delivery->permit().endpoint().text(), its.delivery->permit().signal(),
                             its.delivery->take_report(), 0, 0, true});
  }
  std::erase_if(served_, [](const Served& its) { return its.delivery->ended(); });
  return served_.size() != before;
}

bool Exporter::follow_receipts(const StorePositions& now, std::vector<std::string>& words) {
  bool changed = let_go_ended();
  const std::string stamp = stamp_of(consent::consent_directory(options_.home));
  if (stamp == directory_stamp_ && !changed) return false;
  directory_stamp_ = stamp;
  if (stamp.empty()) return changed;
  remove_orphans(options_.home);  // after those that ended have written where they were
  std::size_t destinations = 0;
  for (const consent::Checked& receipt : consent::list_receipts(options_.home, clock_of(options_))) {
    if (receipt.state != consent::State::valid) continue;
    bool counted = false;
    for (const Signal signal : kSignals) {
      if (!receipt.receipt.grants(signal)) continue;
      if (!counted && ++destinations > kDestinationsMax) {
        words.push_back(receipt.receipt.endpoint.text() + " is not served: there are more than " +
                        std::to_string(kDestinationsMax) + " receipts");
        break;
      }
      counted = true;
      if (is_served(receipt, signal)) continue;
      const std::size_t had = served_.size();
      serve(receipt, signal, now, words);
      changed = changed || served_.size() != had;
    }
  }
  return changed;
}

void Exporter::serve(const consent::Checked& receipt, Signal signal, const StorePositions& now,
                     std::vector<std::string>& words) {
  consent::Gate::Answer answer = gate_.ask(receipt.receipt.endpoint, signal);
  if (!answer.permit) return words.push_back(answer.why);
  std::string why;
  if (!make_private_directory(options_.home + "/export", why)) return words.push_back(why);
  const std::string state = store::export_state_path(options_.home, consent::receipt_name(receipt.receipt.endpoint),
                                                     consent::name_of(signal));
  const std::int64_t from = answer.permit->from_unix_ns();
  Served its{receipt.path, receipt.identity, nullptr, nullptr, nullptr, nullptr};
  std::unique_ptr<RecordSource> source;
  if (signal == Signal::traces) {
    auto spans = std::make_unique<SpanSource>(options_.home + "/metrics/traces.db", from, now.spans_stored);
    its.spans = spans.get(), source = std::move(spans);
  } else if (signal == Signal::logs) {
    auto logs = std::make_unique<LogSource>(options_.home + "/logs", from, now.log_position);
    its.logs = logs.get(), source = std::move(logs);
  } else {
    auto metrics = std::make_unique<MetricSource>(
        MetricSourceOptions{options_.home + "/metrics/metrics.db", state + ".totals", from, now.last_tick_unix_s});
    its.metrics = metrics.get(), source = std::move(metrics);
  }
  its.delivery = std::make_unique<Delivery>(
      *std::move(answer.permit), std::move(source),
      DeliveryOptions{state + ".acked", options_.clock, options_.bytes_max, options_.compression});
  its.delivery->start();
  served_.push_back(std::move(its));
}

void Exporter::put_spans(std::shared_ptr<const store::SpanHandOver> spans) {
  for (Served& its : served_) {
    if (its.spans == nullptr) continue;
    its.spans->put(spans);
    its.delivery->wake();
  }
}

void Exporter::spans_committed(std::uint64_t spans_stored) {
  for (Served& its : served_)
    if (its.spans != nullptr) its.spans->committed(spans_stored);
}

void Exporter::spans_discarded(std::uint64_t spans_stored) {
  for (Served& its : served_) {
    if (its.spans == nullptr) continue;
    its.spans->discard();
    its.delivery->discarded(spans_stored);
  }
}

void Exporter::logs_committed(std::uint64_t position) {
  for (Served& its : served_) {
    if (its.logs == nullptr) continue;
    its.logs->committed(position);
    its.delivery->wake();
  }
}

void Exporter::put_metrics(std::shared_ptr<const MetricHandOver> gains) {
  for (Served& its : served_) {
    if (its.metrics == nullptr) continue;
    its.metrics->put(gains);
    its.delivery->wake();
  }
}

int Exporter::span_group(std::uint64_t first, std::uint64_t last) const {
  int group = 0, bit = 1;
  for (const Served& its : served_) {
    if (its.spans == nullptr) continue;
    const Acked::Part part = its.delivery->acknowledged({first, last});
    if (part == Acked::Part::some) return store::kSpansOfTwoGroups;
    if (part == Acked::Part::all) group |= bit;
    bit <<= 1;
  }
  return group;
}

std::vector<ExportReport> Exporter::take_reports() {
  std::vector<ExportReport> reports = std::exchange(last_reports_, {});
  for (Served& its : served_) {
    const consent::Permit& permit = its.delivery->permit();
    reports.push_back({permit.endpoint().text(), permit.signal(), its.delivery->take_report(), its.delivery->backlog(),
                       its.delivery->in_flight(), false});
  }
  return reports;
}

}  // namespace honeylink::telemetry::exporting
