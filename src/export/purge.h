// What of <home>/export belongs to nobody any more: a receiver whose consent was taken back with --purge, or was
// refused. Called by the engine when receipts came or went, and by `honeytel consent revoke`. Any thread.
#pragma once
#include <string>

namespace honeylink::telemetry::exporting {

/// Removes the files of receivers of whom <home>/consent has neither a receipt nor one that was put aside. How many.
std::size_t remove_orphans(const std::string& home);

}  // namespace honeylink::telemetry::exporting
