// EmbeddedEngine (include/honeylink/embedded.h): the loop of engine.h on a thread of its own.
#include "honeylink/embedded.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <string>

#include "engine/engine.h"
#include "ring/home.h"

namespace honeylink::telemetry {

struct EmbeddedEngine::State {
  std::unique_ptr<engine::Engine> engine;
  pthread_t thread{};
  pid_t pid = 0;  // who made it: a fork child has a copy of this object and no thread

  static void* run(void* engine) {
    pthread_setname_np(pthread_self(), "honeylink");
    static_cast<engine::Engine*>(engine)->run();
    return nullptr;
  }
};

EmbeddedEngine::EmbeddedEngine(const EmbeddedOptions& options) noexcept {
  try {
    start(options);
  } catch (...) { status_ = {Error::no_engine, "no memory for an engine"}; }
}

void EmbeddedEngine::start(const EmbeddedOptions& options) {
  std::string why;
  const std::string home = ring::home_path(std::string(options.home));
  auto made = home.empty() ? nullptr : engine::Engine::start({home, engine::Mode::embedded, nullptr}, why);
  if (made == nullptr) {
    status_ = {Error::home_unusable, "the home directory cannot be used by an engine"};
    return;
  }
  auto state = std::make_unique<State>();
  state->engine = std::move(made);
  state->pid = getpid();
  // The application's signals are the application's: none is delivered to this thread.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int failed = pthread_create(&state->thread, nullptr, &State::run, state->engine.get());
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (failed != 0) {
    status_ = {Error::no_engine, "the engine's thread could not be started"};
    return;
  }
  state_ = std::move(state);
}

EmbeddedEngine::~EmbeddedEngine() {
  if (state_ == nullptr) return;
  if (state_->pid != getpid()) {
    // The parent's engine: its database handles and its lock must not be touched here (PROTOCOL 8).
    (void)state_.release();
    return;
  }
  state_->engine->stop();
  pthread_join(state_->thread, nullptr);
}

Status EmbeddedEngine::status() const noexcept { return status_; }
bool EmbeddedEngine::leads() const noexcept {
  return state_ != nullptr && state_->pid == getpid() && state_->engine->leads();
}

}  // namespace honeylink::telemetry
