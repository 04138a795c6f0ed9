// Points into a metrics.db and back: half of the comparison of bytes (the peers' half is peers.py).
//   points_bench make decimal|full|ratio|walk SERIES TICKS FILE   writes a data set
//   points_bench store FILE HOME                       packs it as the engine does, reads it back, rolls it up; JSON
//
// A data set is what a scrape every ten seconds sees, cumulative values of counters included: "HLPTS1\n", u32 series,
// u32 ticks, i64 first tick; of each series u32 length, "kind\tname\tlabel=value,..." and a double a tick. Kinds: c
// counter, r counter of decimals, u up-down counter, g gauge. As in the engine a counter's difference is stored, and of
// a gauge that did not move nothing. "wrong": values that do not come out bit for bit.
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>

#include "cli/history_data.h"
#include "query/database.h"
#include "query/paths.h"
#include "store/metric_scan.h"
#include "store/metric_store.h"

namespace {

namespace tel = honeylink::telemetry;
namespace store = honeylink::telemetry::store;
using tel::MetricType;

constexpr char kMagic[] = "HLPTS1\n";
constexpr std::int64_t kBegin = 1'699'488'000, kStep = 10, kHour = 3'600, kSecondNs = 1'000'000'000;
constexpr std::size_t kBatch = 60;

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "points_bench: %s\n", why.c_str());
  std::exit(1);
}

struct Series {
  char kind = 'g';
  std::string name;
  std::vector<std::pair<std::string, std::string>> labels;
  std::vector<double> values;
  int digits = 0;  // of kind r: values are whole numbers / 10^digits
};

struct DataSet {
  std::uint32_t ticks = 0;
  std::int64_t begin = kBegin;
  std::vector<Series> series;
};

double tenth(int digits) { return std::nearbyint(std::pow(10.0, digits)); }

class File {
 public:
  File(const char* path, const char* mode) : file_(std::fopen(path, mode)) {
    if (file_ == nullptr) give_up(std::string(path) + " cannot be opened");
  }
  ~File() { std::fclose(file_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  void write(const void* bytes, std::size_t n) {
    if (std::fwrite(bytes, 1, n, file_) != n) give_up("the disk is full");
  }
  void read(void* bytes, std::size_t n) {
    if (std::fread(bytes, 1, n, file_) != n) give_up("the data set ends too early");
  }

 private:
  std::FILE* file_;
};

void write_set(const DataSet& set, const char* path) {
  File file(path, "wbe");
  file.write(kMagic, sizeof kMagic - 1);
  const auto count = static_cast<std::uint32_t>(set.series.size());
  file.write(&count, sizeof count), file.write(&set.ticks, sizeof set.ticks);
  file.write(&set.begin, sizeof set.begin);
  for (const Series& series : set.series) {
    std::string head = std::string(1, series.kind) + "\t" + series.name + "\t";
    for (const auto& [key, value] : series.labels) head += (head.back() == '\t' ? "" : ",") + key + "=" + value;
    const auto size = static_cast<std::uint32_t>(head.size());
    file.write(&size, sizeof size), file.write(head.data(), size);
    file.write(series.values.data(), series.values.size() * sizeof(double));
  }
}

/// The fewest digits that hold every value; −1: none do.
int digits_of(const std::vector<double>& values) {
  for (int digits = 0; digits <= 9; ++digits) {
    const double scale = tenth(digits);
    bool all = true;
    for (std::size_t i = 0; all && i < values.size(); ++i)
      all = std::fabs(values[i] * scale) < 0x1p53 && std::nearbyint(values[i] * scale) / scale == values[i];
    if (all) return digits;
  }
  return -1;
}

void read_head(const std::string& head, Series& series) {
  const std::size_t name = head.find('\t'), labels = head.find('\t', name + 1);
  if (name != 1 || labels == std::string::npos) give_up("a series without a head");
  series.kind = head[0], series.name = head.substr(2, labels - 2);
  for (std::size_t at = labels + 1; at < head.size();) {
    const std::size_t end = std::min(head.find(',', at), head.size()), equals = head.find('=', at);
    if (equals >= end) give_up("a label without a value");
    series.labels.emplace_back(head.substr(at, equals - at), head.substr(equals + 1, end - equals - 1));
    at = end + 1;
  }
}

DataSet read_set(const char* path) {
  File file(path, "rbe");
  DataSet set;
  char magic[sizeof kMagic - 1];
  std::uint32_t count = 0;
  file.read(magic, sizeof magic);
  if (std::memcmp(magic, kMagic, sizeof magic) != 0) give_up(std::string(path) + " is no data set");
  file.read(&count, sizeof count), file.read(&set.ticks, sizeof set.ticks), file.read(&set.begin, sizeof set.begin);
  set.series.resize(count);
  for (Series& series : set.series) {
    std::uint32_t size = 0;
    file.read(&size, sizeof size);
    std::string head(size, ' ');
    file.read(head.data(), size);
    read_head(head, series);
    series.values.resize(set.ticks);
    file.read(series.values.data(), set.ticks * sizeof(double));
    // Whose differences do not add up to what was seen is kept as it was seen.
    if (series.kind != 'g') series.digits = digits_of(series.values);
    if (series.digits < 0 || ((series.kind == 'c' || series.kind == 'u') && series.digits != 0)) series.kind = 'g';
  }
  return set;
}

/// The mix of `honeytel bench --history`, its few full doubles left out.
void make_decimal(DataSet& set, std::size_t count) {
  const tel::cli::HistoryData data(count, 0);
  constexpr double kThousand = 1'000;
  for (std::size_t i = 0; i < count; ++i) {
    const tel::SeriesInfo info = data.info(i);
    if (info.name == "ratio") continue;
    Series series;
    series.name = info.name, series.labels = info.labels;
    constexpr char kKinds[] = {'c', 'r', 'u', 'g', 'h'};
    series.kind = kKinds[static_cast<std::size_t>(info.kind)];
    std::uint64_t whole = 0;
    double thousandths = 0;
    for (std::int64_t tick = 0; tick < set.ticks; ++tick) {
      std::uint64_t value = 0;
      const bool moved = data.scalar(i, tick, value);
      if (!moved && info.kind == MetricType::gauge) give_up("a gauge without a value");
      if (!moved) value = 0;
      if (series.kind == 'r') thousandths += std::nearbyint(std::bit_cast<double>(value) * kThousand);
      else whole = series.kind == 'g' ? value : whole + value;
      series.values.push_back(series.kind == 'r'   ? thousandths / kThousand
                              : series.kind == 'g' ? std::bit_cast<double>(whole)
                                                   : static_cast<double>(static_cast<std::int64_t>(whole)));
    }
    set.series.push_back(std::move(series));
  }
}

/// Ratios of two counts, and random walks, in turn, as in bench/segment_bench.cc; `only`: the former or the latter.
void make_full(DataSet& set, std::size_t count, std::string_view only) {
  for (std::size_t i = 0; i < count; ++i) {
    std::mt19937_64 random(i + 1);
    std::normal_distribution<double> noise;
    Series series;
    series.name = i % 2 == 0 ? "ratio" : "walk", series.labels = {{"instance", std::to_string(i / 2)}};
    if (only != "full" && only != series.name) continue;
    double level = 40;
    for (std::uint32_t tick = 0; tick < set.ticks; ++tick) {
      const auto part = static_cast<double>(900 + random() % 100), of = static_cast<double>(1'000 + random() % 50);
      series.values.push_back(i % 2 == 0 ? part / of : level *= 1 + 1e-4 * noise(random));
    }
    set.series.push_back(std::move(series));
  }
}

MetricType type_of(char kind) {
  return kind == 'c'   ? MetricType::counter
         : kind == 'r' ? MetricType::counter_real
         : kind == 'u' ? MetricType::up_down
                       : MetricType::gauge;
}

std::int64_t whole(double value) { return static_cast<std::int64_t>(std::nearbyint(value)); }

/// What the engine would commit of the series in this tick. False: it did not move.
bool delta_of(const Series& series, std::size_t tick, tel::MetricDelta& delta) {
  const double now = series.values[tick], before = tick == 0 ? 0 : series.values[tick - 1];
  if (series.kind == 'g') {
    delta.real = now;
    return tick == 0 || std::bit_cast<std::uint64_t>(now) != std::bit_cast<std::uint64_t>(before);
  }
  const double scale = tenth(series.digits);
  const std::int64_t moved = whole(now * scale) - whole(before * scale);
  delta.integer = static_cast<std::uint64_t>(moved);
  delta.real = static_cast<double>(moved) / scale;
  return moved != 0;
}

struct Outcome {
  std::uint64_t committed = 0, wrong = 0, bytes = 0, segment_bytes = 0, free_bytes = 0;
  std::uint64_t aggregates = 0, aggregate_bytes = 0, aggregate_segment_bytes = 0;
  double seconds = 0;
};

class Keeper {
 public:
  Keeper(const DataSet& set, std::string home, Outcome& out)
      : set_(set), home_(std::move(home)), out_(out), clock_(set.begin * kSecondNs) {
    options_.home = home_, options_.clock = &clock_, options_.synchronous = false;
  }

  void write() {
    open();
    std::vector<std::vector<tel::MetricDelta>> deltas(kBatch);
    std::vector<store::MetricTick> batch;
    for (std::size_t tick = 0; tick < set_.ticks; ++tick) {
      auto& its = deltas[batch.size()];
      its.clear();
      for (std::size_t i = 0; i < set_.series.size(); ++i) {
        tel::MetricDelta delta;
        delta.sid = sids_[i], delta.kind = type_of(set_.series[i].kind);
        if (delta_of(set_.series[i], tick, delta)) its.push_back(delta);
      }
      out_.committed += its.size();
      batch.push_back({time(tick), its});
      clock_.advance(kStep * kSecondNs);
      if (batch.size() == kBatch || tick + 1 == set_.ticks) commit(batch);
    }
    // One point of the next hour but one: an hour is packed when another one begins.
    clock_.advance(kHour * kSecondNs);
    tel::MetricDelta mark;
    tel::SeriesInfo info;
    info.name = "mark";
    mark.sid = store_->series_id(info), mark.integer = 1;
    batch.push_back({time(set_.ticks) + kHour, std::span(&mark, 1)});
    commit(batch);
    clock_.advance(store::kTiers[0].window_s() * kSecondNs);
    settle();
    store_.reset();
    out_.bytes = disk_bytes(), out_.segment_bytes = segment_bytes(0),
    out_.free_bytes = 4'096 * asked("PRAGMA freelist_count");
  }

  /// Every value against the data, bit for bit.
  void check() {
    auto opened = tel::query::open_database(tel::query::metrics_path(home_));
    if (!opened.ok()) give_up("what was written cannot be read");
    std::vector<std::vector<double>> seen(set_.series.size());
    std::vector<std::vector<bool>> there(set_.series.size(), std::vector<bool>(set_.ticks));
    for (auto& column : seen) column.resize(set_.ticks);
    store::MetricScan scan(opened.value(), {}, {});
    for (store::MetricPart part; scan.next(part);) {
      const std::uint32_t sid = part.points->sid;
      if (sid == 0 || sid > seen.size() || part.grid.tier != 0) continue;
      for (std::size_t i = 0; i < part.points->ticks.size(); ++i) {
        const std::int64_t tick = (part.time_unix_s(i) - set_.begin) / kStep;
        if (tick < 0 || tick >= set_.ticks) give_up("a point at a time that had none");
        const std::uint64_t bits = part.points->last[i];
        const char kind = set_.series[sid - 1].kind;
        seen[sid - 1][static_cast<std::size_t>(tick)] = kind == 'c' || kind == 'u'
                                                            ? static_cast<double>(static_cast<std::int64_t>(bits))
                                                            : std::bit_cast<double>(bits);
        there[sid - 1][static_cast<std::size_t>(tick)] = true;
      }
    }
    if (scan.failed() || scan.damaged() != 0) give_up("damaged");
    for (std::size_t i = 0; i < seen.size(); ++i) compare(set_.series[i], seen[i], there[i]);
  }

  /// Later, all of it is minutes.
  void roll_up() {
    open();
    for (int day = 0; day < 10; ++day) clock_.advance(86'400 * kSecondNs), settle();
    store_.reset();
    auto opened = tel::query::open_database(tel::query::metrics_path(home_));
    if (!opened.ok()) give_up("what was rolled up cannot be read");
    store::MetricScan scan(opened.value(), {}, {.tier_min = 1, .tier_max = 1});
    for (store::MetricPart part; scan.next(part);) out_.aggregates += part.points->ticks.size();
    out_.aggregate_bytes = disk_bytes(), out_.aggregate_segment_bytes = segment_bytes(1);
  }

 private:
  [[nodiscard]] std::int64_t time(std::size_t tick) const {
    return set_.begin + static_cast<std::int64_t>(tick) * kStep;
  }

  void open() {
    std::string said;
    store_ = store::MetricStore::open(options_, said);
    if (store_ == nullptr || store_->begin_epoch() == 0) give_up(home_ + ": " + said);
    sids_.clear();
    for (const Series& series : set_.series) {
      tel::SeriesInfo info;
      info.name = series.name, info.kind = type_of(series.kind), info.labels = series.labels;
      sids_.push_back(store_->series_id(info));
      if (sids_.back() != sids_.size()) give_up("a series that is there twice: " + series.name);
    }
  }

  void commit(std::vector<store::MetricTick>& batch) {
    store::Counts counts;
    for (const store::MetricTick& tick : batch) counts.accepted += tick.deltas.size();
    counts.stored = counts.accepted;
    if (store_->commit_ticks(batch, 0, 0, counts, {}, false) != store::CommitResult::ok) give_up(store_->why());
    batch.clear();
    settle();
  }

  void settle() {
    for (bool more = true; more;) {
      const store::MetricUpkeep did = store_->maintain(clock_.realtime_ns() / kSecondNs, 0);
      if (did.result != store::CommitResult::ok) give_up(store_->why());
      more = did.more;
    }
    store_->checkpoint();
  }

  void compare(const Series& series, const std::vector<double>& seen, const std::vector<bool>& there) {
    const double scale = tenth(series.digits);
    std::int64_t sum = 0;
    double value = 0;
    for (std::size_t tick = 0; tick < seen.size(); ++tick) {
      if (series.kind != 'g') sum += whole(seen[tick] * scale), value = static_cast<double>(sum) / scale;
      else if (there[tick]) value = seen[tick];
      if (std::bit_cast<std::uint64_t>(value) != std::bit_cast<std::uint64_t>(series.values[tick])) ++out_.wrong;
    }
  }

  [[nodiscard]] std::uint64_t disk_bytes() const {
    std::uint64_t bytes = 0;
    for (const auto& file : std::filesystem::recursive_directory_iterator(home_)) {
      if (file.is_regular_file()) bytes += file.file_size();
    }
    return bytes;
  }
  [[nodiscard]] std::uint64_t asked(const std::string& sql) const {
    auto opened = tel::query::open_database(tel::query::metrics_path(home_));
    if (!opened.ok()) give_up("no database");
    return static_cast<std::uint64_t>(opened.value().integer(sql.c_str(), 0));
  }
  [[nodiscard]] std::uint64_t segment_bytes(int tier) const {
    return asked("SELECT sum(length(data)) FROM seg WHERE tier=" + std::to_string(tier));
  }

  const DataSet& set_;
  std::string home_;
  Outcome& out_;
  tel::ManualClock clock_;
  store::StoreOptions options_;
  std::unique_ptr<store::MetricStore> store_;
  std::vector<std::uint32_t> sids_;
};

int make(char** words) {
  DataSet set;
  set.ticks = static_cast<std::uint32_t>(std::strtoul(words[4], nullptr, 10));
  const std::size_t series = std::strtoul(words[3], nullptr, 10);
  if (set.ticks == 0 || series == 0) give_up("at least one series and one tick");
  if (std::string_view(words[2]) == "decimal") make_decimal(set, series);
  else make_full(set, series, words[2]);
  write_set(set, words[5]);
  return 0;
}

int keep(char** words) {
  const DataSet set = read_set(words[2]);
  Outcome out;
  const auto began = std::chrono::steady_clock::now();
  Keeper keeper(set, words[3], out);
  keeper.write();
  keeper.check();
  keeper.roll_up();
  out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  const auto number = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
  std::printf(
      "{\"series\": %zu, \"ticks\": %u, \"points\": %llu, \"committed\": %llu, \"wrong\": %llu, \"bytes\": %llu, "
      "\"segment_bytes\": %llu, \"free_bytes\": %llu, \"aggregates\": %llu, \"aggregate_bytes\": %llu, "
      "\"aggregate_segment_bytes\": %llu, "
      "\"seconds\": %.1f}\n",
      set.series.size(), set.ticks, number(set.series.size() * set.ticks), number(out.committed), number(out.wrong),
      number(out.bytes), number(out.segment_bytes), number(out.free_bytes), number(out.aggregates),
      number(out.aggregate_bytes), number(out.aggregate_segment_bytes), out.seconds);
  return 0;
}

}  // namespace

int main(int count, char** words) {
  if (count == 6 && std::string_view(words[1]) == "make") return make(words);
  if (count == 4 && std::string_view(words[1]) == "store") return keep(words);
  give_up("usage: points_bench make decimal|full|ratio|walk SERIES TICKS FILE, or points_bench store FILE HOME");
}
