// The launcher exchanges its program while a node serves.
//
// It becomes the new program itself (same process id, same children, same socket), starts a node of
// it, and lets the old node go when the new one is ready. Whatever fails before that leaves the old
// node serving; the old program stays open, so that there is a way back although its file is gone.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "bennu/base/log.hpp"
#include "bennu/runtime/launcher/launcher_loop.hpp"

namespace bennu {

using namespace std::chrono_literals;

namespace {
constexpr Duration check_time = 30s;
}

/// One that is asked for while a node starts, or another upgrade goes on, comes after that.
void LauncherLoop::begin_wanted_upgrade() {
    if (!upgrade_wanted_ || stopping_) return;
    if (check_ > 0 || upgrading() || !leaving_.empty() || !all_ready()) return;
    upgrade_wanted_ = false;
    manager_.reloading(launcher_now());
    check_ = start_check(program_);
    check_until_ = launcher_now() + check_time;
    if (check_ < 0) {
        check_until_ = Instant::max();
        check_ = 0;
        keep_current("the new program cannot be tried");
    }
}

void LauncherLoop::on_check_ended(int status) {
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return keep_current("the new program does not start: " + program_);
    if (!all_ready()) {
        // A node ended meanwhile. It is started again first, and the program tried once more then.
        log_info("the upgrade waits until every node is ready");
        upgrade_wanted_ = true;
        return;
    }
    const int previous = ::open("/proc/self/exe", O_PATH | O_CLOEXEC);
    become(program_, Handover::Step::upgrade, previous);
    ::close(previous);
    keep_current("the launcher cannot become the new program");
}

/// Returns only when that failed.
void LauncherLoop::become(const std::string& path, Handover::Step step, int previous) {
    NamedDescriptors descriptors{{"http", listener_}};
    Handover handover{.step = step};
    for (std::size_t i = 0; i < workers_.size(); ++i) {
        const Node& node = workers_[i].current;
        const bool there = node && node->control() >= 0;
        handover.nodes.push_back(there ? node->pid() : 0);
        if (!there) continue;
        descriptors.emplace_back(fmt::format("control{}", i), node->control());
        descriptors.emplace_back(fmt::format("page{}", i), node->page_descriptor());
    }
    hub_.hand_over(handover, descriptors);
    if (previous >= 0) descriptors.emplace_back("previous", previous);
    flush_log();
    const Error failed = execute(path, handover, descriptors);
    log_error("the launcher goes on as it is", {{"reason", failed}});
}

void LauncherLoop::keep_current(std::string_view why) {
    log_error("no upgrade; the node that runs goes on", {{"reason", why}});
    manager_.ready(fmt::format("serving; no upgrade: {}", why));
}

bool LauncherLoop::upgrading() const {
    return std::ranges::any_of(workers_,
                               [](const Worker& worker) { return worker.next != nullptr; });
}

/// A node of the new program beside each one that serves.
void LauncherLoop::begin_upgrade() {
    next_until_ = launcher_now() + options_.ready_within;
    for (std::size_t i = 0; i < workers_.size(); ++i) {
        workers_[i].next = start_node(i);
        if (!workers_[i].next)
            return give_up_upgrade("a node of the new program cannot be started");
        if (workers_[i].next->page()) workers_[i].next->page()->predecessor.store(1);
    }
    publish_quarantine();
}

void LauncherLoop::on_next_ended(std::size_t worker, int status) {
    const Node ended = std::exchange(workers_[worker].next, nullptr);
    if (stopping_) return;
    if (WIFSIGNALED(status)) report(*ended, status);
    give_up_upgrade("a node of the new program did not become ready");
}

void LauncherLoop::give_up_upgrade(std::string_view why) {
    next_until_ = Instant::max();
    // They never served: nothing is lost with them, and the image that follows does not know them.
    for (Worker& worker : workers_) {
        if (worker.next) worker.next->kill_and_wait();
        worker.next = nullptr;
    }
    roll_back(why);
    keep_current(why);
    for (Worker& worker : workers_) {
        if (!worker.current) worker.start_at = launcher_now();
    }
}

void LauncherLoop::let_next_serve() {
    next_until_ = Instant::max();
    for (Worker& worker : workers_) {
        if (worker.current) {
            if (worker.current->page()) worker.current->page()->replaced.store(1);
            worker.current->stop(options_.stop_grace);
            leaving_.push_back(std::move(worker.current));
        }
        worker.current = std::move(worker.next);
        worker.start_at = Instant::max();
    }
    announced_ = false;
    publish_quarantine();
}

/// Becomes the previous program again. Returns when there is none, or it cannot be run.
void LauncherLoop::roll_back(std::string_view why) {
    if (!can_roll_back()) return;
    log_error("going back to the previous program", {{"reason", why}});
    become(fmt::format("/proc/self/fd/{}", previous_), Handover::Step::rolled_back, -1);
    ::close(std::exchange(previous_, -1));
}

}  // namespace bennu
