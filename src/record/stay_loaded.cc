// See stay_loaded.h. At run time and not by a linker's option, which whoever builds the plug-in would have to know.
#include "record/stay_loaded.h"

#include <dlfcn.h>
#include <link.h>

#include <atomic>

// Weak: a program that is linked statically has no loader, and must not get one through us.
#pragma weak dlopen
#pragma weak dladdr1

namespace honeylink::telemetry::internal {
namespace {

constinit std::atomic<bool> pinned{false};

}  // namespace

void stay_loaded() noexcept {
  if (pinned.exchange(true, std::memory_order_relaxed) || dlopen == nullptr || dladdr1 == nullptr) return;
  Dl_info info;
  link_map* map = nullptr;
  if (dladdr1(&pinned, &info, reinterpret_cast<void**>(&map), RTLD_DL_LINKMAP) == 0 || map == nullptr) return;
  if (map->l_name == nullptr || map->l_name[0] == '\0') return;  // the program itself
  // One count more on what is loaded, never given back; were RTLD_NODELETE refused, that count alone would do.
  (void)dlopen(map->l_name, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

}  // namespace honeylink::telemetry::internal
