// See purge.h. A file's name begins with that of its receipt, up to the first point.
#include "export/purge.h"

#include <unistd.h>

#include <filesystem>
#include <set>

#include "consent/store.h"

namespace honeylink::telemetry::exporting {
namespace {

std::string stem_of(const std::filesystem::path& path) {
  const std::string name = path.filename();
  return name.substr(0, name.find('.'));
}

}  // namespace

std::size_t remove_orphans(const std::string& home) {
  std::error_code error;
  const std::filesystem::directory_iterator files(home + "/export", error);
  if (error) return 0;
  std::set<std::string> known;
  for (const auto& receipt : std::filesystem::directory_iterator(consent::consent_directory(home), error))
    known.insert(stem_of(receipt.path()));
  if (error) return 0;  // what cannot be read says nothing
  std::size_t removed = 0;
  for (const auto& file : files)
    if (!known.contains(stem_of(file.path())) && ::unlink(file.path().c_str()) == 0) ++removed;
  return removed;
}

}  // namespace honeylink::telemetry::exporting
