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
    if (check_ > 0 || next_ || !leaving_.empty() || !current_ || !current_->ready()) return;
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
    if (!current_) return;
    const int previous = ::open("/proc/self/exe", O_PATH | O_CLOEXEC);
    become(program_, Handover::Step::upgrade, previous);
    ::close(previous);
    keep_current("the launcher cannot become the new program");
}

/// Returns only when that failed.
void LauncherLoop::become(const std::string& path, Handover::Step step, int previous) {
    NamedDescriptors descriptors{{"http", listener_}};
    Handover handover{.step = step};
    if (current_ && current_->control() >= 0) {
        handover.node = current_->pid();
        descriptors.emplace_back("control", current_->control());
        descriptors.emplace_back("page", current_->page_descriptor());
    }
    if (previous >= 0) descriptors.emplace_back("previous", previous);
    flush_log();
    const Error failed = execute(path, handover, descriptors);
    log_error("the launcher goes on as it is", {{"reason", failed}});
}

void LauncherLoop::keep_current(std::string_view why) {
    log_error("no upgrade; the node that runs goes on", {{"reason", why}});
    manager_.ready(fmt::format("serving; no upgrade: {}", why));
}

void LauncherLoop::on_next_ended(int status) {
    const Node ended = std::exchange(next_, nullptr);
    next_until_ = Instant::max();
    if (stopping_) return;
    if (WIFSIGNALED(status)) report(*ended, status);
    if (!roll_back("the node of the new program did not become ready"))
        keep_current("the node of the new program did not become ready");
}

void LauncherLoop::on_next_ready() {
    next_until_ = Instant::max();
    if (current_) {
        if (current_->page()) current_->page()->replaced.store(1);
        current_->stop(options_.stop_grace);
        leaving_.push_back(std::move(current_));
    }
    current_ = std::move(next_);
    announced_ = false;
    publish_quarantine();
}

/// Becomes the previous program again; false when there is none.
bool LauncherLoop::roll_back(std::string_view why) {
    if (!can_roll_back()) return false;
    log_error("going back to the previous program", {{"reason", why}});
    become(fmt::format("/proc/self/fd/{}", previous_), Handover::Step::rolled_back, -1);
    ::close(std::exchange(previous_, -1));
    return false;
}

}  // namespace bennu
