// The way to the owner's Alertmanager: see alertmanager.h.
#include "alert/alertmanager.h"

#include <poll.h>

#include <algorithm>
#include <limits>

#include "alert/alertmanager_json.h"
#include "base/clock.h"
#include "base/text.h"

namespace honeylink::telemetry::alert {
namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kAlertsPerPostMax = 200;  // some 100 KB
constexpr int kConnectMs = 3'000, kAnswerWholeMs = 5'000;
constexpr std::size_t kAnswerBytesMax = 64 * 1024;
constexpr std::size_t kSaidBytesMax = 200;

constexpr const char* kNoConsent = "alertmanager.consent";  // conditions, as Board::say takes them
constexpr const char* kFailing = "alertmanager.failing";
constexpr const char* kNoAddress = "alertmanager.address";

/// Of an answer that is no: one line of what the other side says.
std::string words_of(const net::Answer& answer) {
  if (!answer.ok()) return answer.said;
  std::string said = terminal_safe(std::string_view(answer.body).substr(0, kSaidBytesMax));
  return "it answered " + std::to_string(answer.status) + (said.empty() ? "" : ": " + said);
}

/// Whether a request that failed so may have been read nevertheless.
bool may_have_arrived(net::Failure failure) {
  return failure == net::Failure::none || failure == net::Failure::timed_out || failure == net::Failure::closed ||
         failure == net::Failure::bad_answer || failure == net::Failure::cancelled ||
         failure == net::Failure::not_permitted;
}

}  // namespace

void run_alertmanager(Board& board) {
  Alertmanager way(board, board.home());
  way.run();
}

Alertmanager::Alertmanager(Board& board, const std::string& home) : board_(board), gate_(home, system_clock()) {}

void Alertmanager::run() {
  while (true) {
    take_changes();
    const std::int64_t now = system_clock().monotonic_ns();
    act(now);
    if (may_leave(now) && board_.may_end(Way::alertmanager)) return;
    sleep(now);
  }
}

void Alertmanager::take_changes() {
  const Changes changes = board_.pull(Way::alertmanager);
  const bool elsewhere = changes.options.alertmanager != options_.alertmanager;
  options_ = changes.options;
  back_off_.limits(options_.retry_first_ms, options_.retry_max_ms);
  if (changes.configured) back_off_.now();
  if (changes.stop) stop_by_ns_ = changes.stop_by_ns;
  if (elsewhere) change_endpoint();
  const std::int64_t now = system_clock().monotonic_ns();
  for (const Entry& entry : changes.entries) take_entry(entry, now);
}

/// Another Alertmanager knows of nothing; the former forgets by itself.
void Alertmanager::change_endpoint() {
  std::erase_if(posts_, [](const auto& item) { return !item.second.firing; });
  for (auto& [key, post] : posts_) post.due_ns = post.asserted_until_ns = 0;
}

void Alertmanager::take_entry(const Entry& entry, std::int64_t now) {
  for (const Level level : {Level::yellow, Level::orange, Level::red}) {
    const auto before = posts_.find({entry.key, level});
    if (before == posts_.end() || (entry.firing && level == entry.event.severity)) continue;
    Post& post = before->second;
    if (!std::exchange(post.firing, false)) continue;
    post.due_ns = now;
    if (post.asserted_until_ns == 0) posts_.erase(before);
  }
  if (!entry.firing) {
    if (!entry.restored) return;
    // What an earlier engine posted fires there still.
    Post& post = posts_.try_emplace({entry.key, entry.event.severity}).first->second;
    post.entry = entry;
    post.asserted_until_ns = now + kAssertedNs;
    return;
  }
  Post& post = posts_[{entry.key, entry.event.severity}];
  post.entry = entry;
  post.firing = true;
  post.due_ns = now;
  back_off_.hasten();
}

/// An end that could not be told for so long has come about by itself.
void Alertmanager::forget_what_is_over(std::int64_t now) {
  std::erase_if(posts_, [now](const auto& item) { return !item.second.firing && item.second.asserted_until_ns < now; });
}

void Alertmanager::act(std::int64_t now) {
  forget_what_is_over(now);
  if (options_.alertmanager.empty() || back_off_.next_ns() > now) return;
  std::vector<Key> due;
  for (const auto& [key, post] : posts_) {
    if (post.due_ns <= now && due.size() < kAlertsPerPostMax) due.push_back(key);
  }
  if (!due.empty()) post(due, now);
}

void Alertmanager::post(const std::vector<Key>& keys, std::int64_t now) {
  std::string why;
  const auto endpoint = consent::parse_endpoint(options_.alertmanager, why);
  if (!endpoint) {
    board_.say(kNoAddress, "alert.alertmanager is no address that can be posted to: " + why);
    board_.count(Way::alertmanager, [](WayCounts& counts) { ++counts.not_allowed; });
    return back_off_.failed(now);
  }
  consent::Gate::Answer leave = gate_.ask(*endpoint, consent::Signal::alerts);
  if (!leave.permit) return not_allowed(leave.why, now);
  const auto client = net::Client::make(std::move(*leave.permit), {kConnectMs, kAnswerBytesMax}, why);
  if (client == nullptr) return failed(keys, {net::Failure::no_library, why, 0, {}, {}}, now);

  const std::int64_t unix_ns = system_clock().realtime_ns();
  std::vector<PostedAlert> alerts;
  for (const Key& key : keys) {
    const Post& one = posts_.at(key);
    alerts.push_back({&one.entry.event, one.firing ? unix_ns + kAssertedNs : unix_ns});
  }
  const std::string body = alerts_json(alerts, options_.instance);
  net::Request request;
  request.path = "/api/v2/alerts";
  request.headers = {"content-type: application/json"};
  request.body = body;
  request.timeout_ms = kAnswerWholeMs;
  board_.count(Way::alertmanager, [](WayCounts& counts) { ++counts.attempts; });
  board_.while_waiting(Way::alertmanager, [&client] { client->cancel(); });
  const net::Answer answer = client->send(request);
  board_.while_waiting(Way::alertmanager, nullptr);
  const std::int64_t then = system_clock().monotonic_ns();
  if (answer.ok() && answer.status / 100 == 2) accepted(keys, then);
  else failed(keys, answer, then);
}

void Alertmanager::accepted(const std::vector<Key>& keys, std::int64_t now) {
  back_off_.succeeded();
  for (const char* condition : {kNoConsent, kFailing, kNoAddress})
    board_.passed(condition, "alerts are posted to " + options_.alertmanager + " again");
  for (const Key& key : keys) {
    Post& post = posts_.at(key);
    if (!post.firing) {
      board_.count(Way::alertmanager, [](WayCounts& counts) { ++counts.cleared; });
      posts_.erase(key);
      continue;
    }
    post.due_ns = now + options_.repost_ms * kMs;
    post.asserted_until_ns = now + kAssertedNs;
    if (std::exchange(post.entry.owed[static_cast<std::size_t>(Way::alertmanager)], false))
      board_.delivered(Way::alertmanager, post.entry);
  }
}

void Alertmanager::failed(const std::vector<Key>& keys, const net::Answer& answer, std::int64_t now) {
  if (answer.failure == net::Failure::not_permitted) return not_allowed(answer.said, now);
  board_.count(Way::alertmanager, [&answer](WayCounts& counts) {
    if (answer.failure == net::Failure::timed_out) ++counts.hung;
    else if (answer.failure == net::Failure::unreachable || answer.failure == net::Failure::unresolved)
      ++counts.unreachable;
    else ++counts.failed;
  });
  if (answer.failure != net::Failure::cancelled)
    board_.say(kFailing, "alerts do not reach " + options_.alertmanager + " (" + words_of(answer) +
                             "): what fires is posted when it answers");
  back_off_.failed(now);
  if (!may_have_arrived(answer.failure)) return;
  for (const Key& key : keys) {
    if (Post& post = posts_.at(key); post.firing) post.asserted_until_ns = now + kAssertedNs;
  }
}

void Alertmanager::not_allowed(const std::string& why, std::int64_t now) {
  board_.count(Way::alertmanager, [](WayCounts& counts) { ++counts.not_allowed; });
  board_.say(kNoConsent, "no alert is posted to " + options_.alertmanager + " (" + why +
                             "); to allow it: honeytel consent grant --endpoint " + options_.alertmanager +
                             " --signals alerts");
  back_off_.failed(now);
}

bool Alertmanager::may_leave(std::int64_t now) {
  if (stop_by_ns_ != 0) {
    const bool due =
        std::any_of(posts_.begin(), posts_.end(), [now](const auto& item) { return item.second.due_ns <= now; });
    return !due || now >= stop_by_ns_ || back_off_.next_ns() > now;
  }
  if (options_.alertmanager.empty()) return true;
  if (!posts_.empty()) idle_since_ns_ = 0;
  else if (idle_since_ns_ == 0) idle_since_ns_ = now;
  return posts_.empty() && now >= idle_since_ns_ + options_.linger_ms * kMs;
}

void Alertmanager::sleep(std::int64_t now) {
  std::int64_t at = kNever;
  for (const auto& [key, post] : posts_) at = std::min(at, std::max(post.due_ns, back_off_.next_ns()));
  if (idle_since_ns_ != 0) at = std::min(at, idle_since_ns_ + options_.linger_ms * kMs);
  if (stop_by_ns_ != 0) at = std::min(at, stop_by_ns_);
  const std::int64_t ms = at == kNever ? -1 : std::clamp<std::int64_t>((at - now + kMs - 1) / kMs, 0, 3'600'000);
  pollfd wake{board_.wake_fd(Way::alertmanager), POLLIN, 0};
  ::poll(&wake, 1, static_cast<int>(ms));
}

}  // namespace honeylink::telemetry::alert
