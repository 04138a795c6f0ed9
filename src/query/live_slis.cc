// See live_slis.h.
#include "query/live_slis.h"

#include <cmath>

#include "base/sketch.h"

namespace honeylink::telemetry::query {
namespace {

double counted(const LiveReader& reader, const std::string& name) {
  double sum = 0;
  for (const LiveSeries* series : reader.of_metric(name)) {
    const ring::SeriesGain* const gain = reader.tick_of(*series);
    if (gain == nullptr) continue;
    if (gain->kind == MetricType::counter) sum += static_cast<double>(gain->integer);
    else if (gain->kind == MetricType::counter_real) sum += gain->real;
  }
  return sum;
}

}  // namespace

LiveSli live_sli(const LiveReader& reader, const SliView& view) {
  LiveSli sli;
  const sli::Definition& d = view.definition;
  sli.value = NAN;
  if (d.is_ratio()) {
    if (d.ratio.size() != 2) return sli;
    sli.count = counted(reader, d.ratio[1]);
    if (sli.count >= static_cast<double>(d.samples_min())) sli.value = counted(reader, d.ratio[0]) / sli.count;
    return sli;
  }
  Sketch all;
  for (const LiveSeries* series : reader.of_metric(d.of)) {
    if (series->info.kind != MetricType::histogram || (view.unit != "1" && series->info.unit != view.unit)) continue;
    const ring::SeriesGain* const gain = reader.tick_of(*series);
    if (gain == nullptr) continue;
    if (all.count == 0) all = gain->sketch;
    else merge(all, gain->sketch);
  }
  sli.count = static_cast<double>(all.count);
  if (all.count >= d.samples_min()) sli.value = quantile(all, d.quantile);
  return sli;
}

}  // namespace honeylink::telemetry::query
