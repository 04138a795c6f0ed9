// The desktop's notification daemon over D-Bus: see notifications.h. The library throws; nothing of it leaves this
// file.
#include "alert/notifications.h"

#include <sdbus-c++/sdbus-c++.h>

#include <chrono>
#include <map>

namespace honeylink::telemetry::alert {
namespace {

constexpr const char* kService = "org.freedesktop.Notifications";
constexpr const char* kPath = "/org/freedesktop/Notifications";
// Of the bus itself, for its own questions.
constexpr std::chrono::microseconds kBusAnswer = std::chrono::seconds(1);
// Starting a daemon may take the bus its 25 s.
constexpr std::uint64_t kDaemonAnswerUs = 30'000'000;
// An answer to Notify is waited for as long as it takes: giving up would mean to send it again, and a daemon that hung
// would then show both.
constexpr std::uint64_t kForeverUs = std::uint64_t{365} * 86'400 * 1'000'000;
constexpr int kMessagesAtOnce = 64;
constexpr const char* kOwnerMatch =
    "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',interface='org.freedesktop.DBus',"
    "member='NameOwnerChanged',arg0='org.freedesktop.Notifications'";

constexpr const char* kNoAnswer = "its answer is not what the specification says";

std::string text_of(const sdbus::Error& error) { return error.getName() + ": " + error.getMessage(); }

/// An answer of the wrong type is none; the library throws at it.
template <class Value>
bool read(sdbus::MethodReply& reply, Value& to) {
  try {
    reply >> to;
    return true;
  } catch (const std::exception&) { return false; }
}

}  // namespace

struct Notifications::Link {
  // In this order: the slot and the proxy go before their connection.
  std::unique_ptr<sdbus::IConnection> connection;
  std::unique_ptr<sdbus::IProxy> proxy;
  sdbus::Slot owner_match;
};

Notifications::Notifications() = default;
Notifications::~Notifications() { disconnect(); }

bool Notifications::connect(const std::string& address, std::string& why) {
  disconnect();
  try {
    auto link = std::make_unique<Link>();
    link->connection = sdbus::createSessionBusConnectionWithAddress(address);
    link->connection->setMethodCallTimeout(kBusAnswer);
    link->proxy = sdbus::createProxy(*link->connection, kService, kPath);
    link->proxy->uponSignal("ActionInvoked")
        .onInterface(kService)
        .call([this](std::uint32_t id, const std::string& key) {
          pending_.actions.push_back({id, key});
        });
    link->proxy->uponSignal("NotificationClosed").onInterface(kService).call([this](std::uint32_t id, std::uint32_t) {
      pending_.closed.push_back(id);
    });
    link->proxy->finishRegistration();
    link->owner_match = link->connection->addMatch(kOwnerMatch, [this](sdbus::Message& message) {
      std::string name, before, after;
      message >> name >> before >> after;
      if (after != daemon_ || after.empty()) daemon_.clear(), pending_.daemon_changed = true;
    });
    link_ = std::move(link);
    return true;
  } catch (const std::exception& error) {
    why = error.what();
    return false;
  }
}

void Notifications::disconnect() noexcept {
  try {
    link_.reset();
  } catch (...) {  // A connection that is broken already.
  }
  pending_ = {};
  daemon_.clear();
}

bool Notifications::ask_daemon() {
  if (!link_) return false;
  try {
    auto call = link_->proxy->createMethodCall(kService, "GetCapabilities");
    link_->proxy->callMethod(
        call,
        [this](sdbus::MethodReply& reply, const sdbus::Error* error) {
          pending_.daemon_answered = true;
          std::vector<std::string> can;
          if (error != nullptr) pending_.daemon_error = text_of(*error);
          else if (!read(reply, can)) pending_.daemon_error = kNoAnswer;
          if (!pending_.daemon_error.empty()) return;
          capabilities_ = {};
          for (const std::string& one : can) {
            if (one == "actions") capabilities_.actions = true;
            if (one == "body-markup") capabilities_.body_markup = true;
          }
          daemon_ = reply.getSender();
        },
        kDaemonAnswerUs);
    return true;
  } catch (const std::exception&) { return false; }
}

bool Notifications::show(std::uint64_t token, std::uint32_t replaces_id, const Toast& toast) {
  if (!link_) return false;
  try {
    std::map<std::string, sdbus::Variant> hints{{"urgency", sdbus::Variant(toast.urgency)},
                                                {"category", sdbus::Variant(toast.category)},
                                                {"desktop-entry", sdbus::Variant(std::string("honeytel"))}};
    if (toast.transient) hints.emplace("transient", sdbus::Variant(true));
    auto call = link_->proxy->createMethodCall(kService, "Notify");
    call << std::string("honeytel") << replaces_id << toast.icon << toast.summary << toast.body << toast.actions
         << hints << toast.expire_ms;
    link_->proxy->callMethod(
        call,
        [this, token](sdbus::MethodReply& reply, const sdbus::Error* error) {
          BusEvents::Reply answer{token, 0, {}};
          if (error != nullptr) answer.error = text_of(*error);
          else if (!read(reply, answer.id)) answer.error = kNoAnswer;
          pending_.replies.push_back(std::move(answer));
        },
        kForeverUs);
    return true;
  } catch (const std::exception&) { return false; }
}

bool Notifications::close(std::uint64_t token, std::uint32_t id) {
  if (!link_) return false;
  try {
    auto call = link_->proxy->createMethodCall(kService, "CloseNotification");
    call << id;
    link_->proxy->callMethod(
        call,
        [this, token](sdbus::MethodReply&, const sdbus::Error* error) {
          pending_.replies.push_back({token, 0, error == nullptr ? std::string() : text_of(*error)});
        },
        kForeverUs);
    return true;
  } catch (const std::exception&) { return false; }
}

Notifications::Waiting Notifications::waiting() const {
  if (!link_) return {};
  try {
    const auto data = link_->connection->getEventLoopPollData();
    return {data.fd, data.events, data.getPollTimeout()};
  } catch (const std::exception&) { return {-1, 0, 0}; }
}

bool Notifications::process(BusEvents& events) {
  if (!link_) return false;
  bool sound = true;
  try {
    for (int i = 0; i < kMessagesAtOnce && link_->connection->processPendingRequest(); ++i) {}
  } catch (const std::exception&) { sound = false; }
  events = std::exchange(pending_, {});
  return sound;
}

}  // namespace honeylink::telemetry::alert
