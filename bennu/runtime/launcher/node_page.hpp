#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace bennu {

/// Text up to 55 bytes (longer is cut) that one process writes and another reads, word by word.
class SharedText {
  public:
    void set(std::string_view text);
    std::string get() const;

  private:
    std::array<std::atomic<std::uint64_t>, 7> words_;
};

/// One page of memory that a node and its launcher share: what the launcher cannot ask a node that
/// hangs or is gone, and what it tells a node without interrupting it. Made zero by the launcher,
/// mapped by both; every member is an atomic that needs no lock.
struct NodePage {
    /// Of this layout. A launcher that was upgraded may find the page of a node of the previous
    /// program; another version than its own it leaves alone.
    static constexpr std::uint32_t current_version = 1;
    static constexpr std::size_t most_shards = 255;
    static constexpr std::size_t slots = 31;
    static constexpr std::size_t most_quarantined = 16;

    /// What a shard works on at this moment.
    struct alignas(64) Slot {
        std::atomic<std::uint64_t> key;  ///< 0: free
        SharedText text;
    };
    struct alignas(64) Shard {
        /// The monotonic time of its latest turn; `asleep` while it waits in the kernel for
        /// something to do; 0 before it runs.
        std::atomic<std::int64_t> beat;
        std::atomic<std::int32_t> thread;  ///< what the kernel calls it
        std::array<Slot, slots> in_flight;
    };
    struct Quarantined {
        std::atomic<std::uint64_t> key;
        std::atomic<std::int64_t> until;  ///< monotonic
    };
    static constexpr std::int64_t asleep = -1;

    // Written by the launcher.
    std::atomic<std::uint32_t> version;
    std::atomic<std::uint32_t> predecessor;  ///< 1 while the node that this one replaces still runs
    std::atomic<std::uint32_t> replaced;     ///< 1 once another node serves instead of this one
    std::atomic<std::uint32_t> quarantined_count;
    std::array<Quarantined, most_quarantined> quarantined;

    // Written by the node.
    Slot crashed;  ///< what ran on the thread that crashed
    std::array<Shard, most_shards> shards;
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
static_assert(sizeof(NodePage::Slot) == 64);

/// An anonymous file of a page's size; -1 when there is none to be had.
int make_node_page();
/// The page behind a descriptor; nullptr when it is not one of this version.
NodePage* map_node_page(int fd);
void unmap_node_page(NodePage* page);

}  // namespace bennu
