// See live_reader.h.
#include "query/live_reader.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <tuple>

#include "base/limits.h"
#include "config/config.h"
#include "ring/home.h"
#include "ring/reader.h"

namespace honeylink::telemetry::query {
namespace {

scrub::ScrubOptions scrub_options(const std::string& home) {
  const config::Config config = config::load_config(home, config::default_config()).config;
  return {home, config.scrub.ids, config.scrub.refuse, false};
}

/// What makes a series one, as a text.
std::string key_of(const SeriesInfo& info) {
  std::string key = info.name;
  const auto part = [&](const std::string& text) { (key += '\0') += text; };
  for (const auto& [label, value] : info.labels) part(label), part(value);
  for (const std::string* text : {&info.service_name, &info.module, &info.environment, &info.unit}) part(*text);
  return key + static_cast<char>('0' + static_cast<int>(info.kind));
}

}  // namespace

struct LiveReader::Ring {
  std::unique_ptr<ring::RingReader> reader;  // nullptr: no sound ring; not tried again under this name
  ring::MetricBases bases;
  std::vector<LiveSeries*> series;  // by series id of the ring
  bool alive = false, listed = false;
  bool unread = false;  // it changed, and could not be read
  bool known = false;   // was read before: what it has gained since then is of this tick
};

LiveReader::LiveReader(const std::string& home)
    : home_(home), arrivals_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)), scrubber_(scrub_options(home)) {}
LiveReader::~LiveReader() = default;

/// A directory may appear with the first ring in it: asked for at each look, which costs little where it is known.
void LiveReader::watch_directories() noexcept {
  if (!arrivals_) return;
  constexpr std::uint32_t kWhat = IN_CREATE | IN_ONLYDIR | IN_DONT_FOLLOW;
  for (const std::string& directory : ring::ring_directories(home_)) {
    if (::inotify_add_watch(arrivals_.get(), directory.c_str(), kWhat) < 0)
      ::inotify_add_watch(arrivals_.get(), directory.substr(0, directory.rfind('/')).c_str(), kWhat);
  }
}

void LiveReader::note_arrivals() {
  alignas(inotify_event) std::array<char, 4'096> bytes;
  bool some = false;
  for (ssize_t n = 0; (n = ::read(arrivals_.get(), bytes.data(), bytes.size())) > 0;) {
    for (std::size_t at = 0; at + sizeof(inotify_event) <= static_cast<std::size_t>(n);) {
      inotify_event event;
      std::memcpy(&event, bytes.data() + at, sizeof event);
      // Other files of the directory are written every second.
      some |= (event.mask & (IN_ISDIR | IN_Q_OVERFLOW)) != 0;
      if (event.len != 0) some |= std::string_view(bytes.data() + at + sizeof event).ends_with(".ring");
      at += sizeof event + event.len;
    }
  }
  if (!some) return;
  watch_directories();
  list_rings();
}

void LiveReader::list_rings() {
  for (auto& [path, known] : rings_) known->listed = false;
  recorders_ = 0;
  for (const ring::RingFile& file : ring::list_rings(home_)) {
    const std::string path = file.directory + "/" + file.name;
    auto& known = rings_[path];
    if (known == nullptr) {
      known = std::make_unique<Ring>();
      std::string why;
      Fd fd = open_file(path, O_RDONLY, 0, why);
      if (!fd && rings_.erase(path) != 0) continue;  // gone meanwhile, or no descriptor to be had
      known->reader = ring::RingReader::open(std::move(fd), path, false, why);
      // Pages of an earlier boot are of different ages: the engine counts them and stores nothing of them.
      if (known->reader != nullptr && !known->reader->same_boot()) known->reader.reset();
      if (known->reader != nullptr) known->reader->mutable_source().serial = next_serial_++;
    }
    known->listed = true, known->alive = file.alive;
    if (file.alive) ++recorders_;
  }
}

LiveSeries* LiveReader::series_of(Ring& ring, std::uint32_t id) {
  if (ring.series.size() <= id) ring.series.resize(ring.reader->series().size());
  LiveSeries*& known = ring.series[id];
  if (known != nullptr) return known;
  SeriesInfo info = ring.reader->series()[id].info;
  ResourceInfo resource = ring.reader->source().resource;
  scrubber_.clean(resource);
  info.service_name = resource.service_name, info.module = resource.module, info.environment = resource.environment;
  scrubber_.clean(info);
  auto& made = series_[key_of(info)];
  if (made == nullptr) {
    made = std::make_unique<LiveSeries>();
    made->info = std::move(info);
    sorted_.push_back(made.get());
  }
  return known = made.get();
}

void LiveReader::add(LiveSeries& series, const ring::SeriesGain& gain, bool is_of_tick) {
  series.changed_at = looks_;
  if (series.tick != tick_) series.tick = tick_, series.gain = {};
  if (is_of_tick) ring::merge_gain(series.gain, gain);
  switch (gain.kind) {
    case MetricType::counter:
    case MetricType::up_down:
      series.integer += gain.integer;
      break;
    case MetricType::counter_real:
      series.real += gain.real;
      break;
    case MetricType::gauge:
      series.real = gain.real;
      break;
    case MetricType::histogram:
      series.real += gain.sketch.sum, series.count += gain.sketch.count;
  }
}

void LiveReader::look_at(Ring& ring) {
  if (ring.reader == nullptr || !ring.reader->refresh()) return;
  ring.unread = ring.reader->cells_changed() || ring.unread;
  if (!ring.unread) return;
  scrubber_.names(ring.reader->mutable_source());
  std::vector<ring::SeriesGain> gains;
  ring::MetricBases next;
  if (!ring::read_gains(*ring.reader, ring.bases, ring::kAnyEpoch, 0, gains, next)) return;
  // Of a process that is older than the tick the first look shows what it has gathered in all its life.
  const bool is_of_tick = ring.known || ring.reader->source().started_unix_ns / kTickNs >= tick_;
  for (std::uint32_t id = 0; id < gains.size(); ++id) {
    if (gains[id].changed) add(*series_of(ring, id), gains[id], is_of_tick);
  }
  ring.bases = std::move(next);
  ring.unread = false, ring.known = true;
}

void LiveReader::look(std::int64_t now_unix_ns) {
  ++looks_;
  tick_ = now_unix_ns / kTickNs;
  const std::size_t known = sorted_.size();
  watch_directories();
  list_rings();
  for (auto at = rings_.begin(); at != rings_.end();) {
    look_at(*at->second);  // also what was unlinked since: its last values were written before
    if (at->second->listed) {
      ++at;
      continue;
    }
    if (at->second->reader != nullptr) scrubber_.forget(at->second->reader->source().serial);
    at = rings_.erase(at);
  }
  if (sorted_.size() == known) return;
  std::sort(sorted_.begin(), sorted_.end(), [](const LiveSeries* a, const LiveSeries* b) {
    return std::tie(a->info.name, a->info.labels, a->info.service_name) <
           std::tie(b->info.name, b->info.labels, b->info.service_name);
  });
}

std::vector<const LiveSeries*> LiveReader::of_metric(std::string_view name) const {
  const auto before = [](const LiveSeries* a, std::string_view b) { return a->info.name < b; };
  auto at = std::lower_bound(sorted_.begin(), sorted_.end(), name, before);
  std::vector<const LiveSeries*> found;
  for (; at != sorted_.end() && (*at)->info.name == name; ++at) found.push_back(*at);
  return found;
}

}  // namespace honeylink::telemetry::query
