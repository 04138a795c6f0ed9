// Stored spans as ExportTraceServiceRequests. Not thread-safe; one owner.
//
// Must stay true: what a request holds is exactly what was added since the last finish(), each span once.
#pragma once
#include "export/id_runs.h"
#include "export/otlp_items.h"

namespace honeylink::telemetry::exporting {

class SpanRequest {
 public:
  /// False: the span's keys are not known, nothing was added.
  [[nodiscard]] bool add(const store::StoredSpan& span, SpanNames& names);
  [[nodiscard]] std::size_t spans() const noexcept { return groups_.items(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return groups_.bytes(); }
  [[nodiscard]] std::string finish() { return runs_.forget(), groups_.finish(); }

 private:
  RequestGroups groups_;
  IdRuns runs_;
};

}  // namespace honeylink::telemetry::exporting
