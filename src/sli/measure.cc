// See measure.h.
#include "sli/measure.h"

#include <cmath>

#include "base/sketch.h"

namespace honeylink::telemetry::sli {

void TickData::add_exemplar(const ExemplarInfo& other) {
  if (other.present && (!exemplar.present || other.value > exemplar.value)) exemplar = other;
}

void TickData::add_environment(const std::string& other, double part) {
  if (part <= environment_part && !environment.empty()) return;
  environment = other, environment_part = part;
}

void TickData::merge(const TickData& other) {
  telemetry::merge(sketch, other.sketch);
  numerator += other.numerator, denominator += other.denominator;
  add_exemplar(other.exemplar);
  add_environment(other.environment, other.environment_part);
  if (unit.empty()) unit = other.unit;
  counted += other.counted;
}

Share share_of(const Definition& definition, const Sketch& sketch) {
  return {count_above(sketch, definition.objective), static_cast<double>(sketch.count)};
}

Measured measure(const Definition& d, const TickData& data) {
  Measured m;
  if (d.is_ratio()) {
    m.samples = data.denominator;
    m.enough = m.samples > 0 && m.samples >= static_cast<double>(d.samples_min());
    if (m.enough) m.value = data.numerator / data.denominator;
    m.share = {data.numerator, data.denominator};
  } else {
    m.samples = static_cast<double>(data.sketch.count);
    m.enough = data.sketch.count > 0 && data.sketch.count >= d.samples_min();
    if (m.enough) m.value = quantile(data.sketch, d.quantile);
    m.share = share_of(d, data.sketch);
  }
  m.enough = m.enough && std::isfinite(m.value);
  if (d.allowed_share() <= 0) m.share = {};
  return m;
}

}  // namespace honeylink::telemetry::sli
