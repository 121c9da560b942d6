#include "bennu/runtime/launcher/node.hpp"

#include <unistd.h>

#include <atomic>

#include "bennu/runtime/launcher/crash_handler.hpp"
#include "bennu/runtime/launcher/inherited.hpp"
#include "bennu/runtime/launcher/node_page.hpp"
#include "bennu/runtime/launcher/program_image.hpp"
#include "bennu/runtime/shard.hpp"

namespace bennu {

namespace {
// Set before threads start.
constinit NodePage* page = nullptr;
constinit int control = -1;
}  // namespace

void notify_ready() {
    [[maybe_unused]] ssize_t written = control < 0 ? 0 : ::write(control, "R", 1);
}

bool predecessor_running() {
    return page && page->predecessor.load(std::memory_order_acquire) != 0;
}

bool replaced() {
    return page && page->replaced.load(std::memory_order_acquire) != 0;
}

namespace detail {

NodePage* node_page() {
    return page;
}

Heartbeat::Heartbeat(Shard& shard) : shard_(shard) {
    if (!page) return;
    NodePage::Shard& mine = page->shards[shard.index()];
    mine.thread.store(::gettid());
    shard.beat_into(&mine.beat);
}

Heartbeat::~Heartbeat() {
    if (!page) return;
    shard_.beat_into(nullptr);
    page->shards[shard_.index()].beat.store(NodePage::asleep);
}

NodeEnvironment enter_node() {
    NamedDescriptors given = inherited_descriptors();
    control = descriptor_of(given, "control");
    page = map_node_page(descriptor_of(given, "page"));
    install_crash_handler(control);
    ChildRole role = take_child_role();
    return {.listener = descriptor_of(given, "http"),
            .worker = role.worker,
            .workers = role.workers,
            .hub = {{.host = std::move(role.hub_address)}, std::move(role.hub_token)}};
}

}  // namespace detail
}  // namespace bennu
