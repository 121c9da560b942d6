#include "bennu/runtime/launcher/launcher_loop.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "bennu/base/log.hpp"
#include "bennu/runtime/launcher/crash_report.hpp"

namespace bennu {

using namespace std::chrono_literals;

namespace {

constexpr int lowest_descriptor = 16;  // clear of the numbers at which descriptors are handed down

std::string how_ended(int status) {
    if (WIFSIGNALED(status)) {
        return fmt::format("was killed by signal {} ({})", WTERMSIG(status),
                           ::sigabbrev_np(WTERMSIG(status)));
    }
    return fmt::format("exited with status {}", WEXITSTATUS(status));
}

int milliseconds_until(Instant at, Instant now) {
    if (at <= now) return 0;
    return static_cast<int>(std::min<std::int64_t>((at - now) / 1ms + 1, 60'000));
}

}  // namespace

LauncherLoop::LauncherLoop(const LaunchOptions& options, std::string program, int listener,
                           const NamedDescriptors& given)
    : options_(options),
      program_(std::move(program)),
      listener_(::fcntl(listener, F_DUPFD_CLOEXEC, lowest_descriptor)),
      policy_(options.restarts, static_cast<std::uint64_t>(::getpid())),
      quarantine_(options.quarantine) {
    ::close(listener);
    sigset_t handled;
    sigemptyset(&handled);
    for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD}) {
        // A shell may have started us with some ignored; ignored signals never arrive here.
        if (signal != SIGHUP) ::signal(signal, SIG_DFL);
        sigaddset(&handled, signal);
    }
    ::sigprocmask(SIG_BLOCK, &handled, nullptr);
    int fd = ::signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK);
    signals_ = ::fcntl(fd, F_DUPFD_CLOEXEC, lowest_descriptor);
    ::close(fd);
    if (int terminal = ::open("/dev/tty", O_RDONLY | O_CLOEXEC); terminal >= 0) {
        has_terminal_ = true;
        ::close(terminal);
    }
    if (manager_.alive_every() > Duration::zero()) alive_at_ = launcher_now();

    const Handover handover = take_handover();
    if (int fd = descriptor_of(given, "previous"); fd >= 0) {
        previous_ = ::fcntl(fd, F_DUPFD_CLOEXEC, lowest_descriptor);
        ::close(fd);
    }
    if (handover.node > 0) {
        current_ = NodeProcess::adopt(handover.node, descriptor_of(given, "control"),
                                      descriptor_of(given, "page"), options_.hangs);
        announced_ = true;
    }
    if (handover.step == Handover::Step::rolled_back)
        manager_.ready("serving; an upgrade was undone");
    if (handover.step == Handover::Step::upgrade && current_) {
        next_ = NodeProcess::start(listener_, options_.hangs);
        next_until_ = launcher_now() + options_.ready_within;
        if (next_ && next_->page()) next_->page()->predecessor.store(1);
    }
}

int LauncherLoop::run() {
    if (!current_ && !start_current()) return 1;
    while (!result_) {
        wait();
        signalfd_siginfo info{};
        while (::read(signals_, &info, sizeof(info)) == sizeof(info))
            on_signal(static_cast<int>(info.ssi_signo));
        collect();
        on_clock();
        begin_wanted_upgrade();
        if (stopping_ && !current_ && !next_ && leaving_.empty()) finish(stop_status_);
    }
    return *result_;
}

void LauncherLoop::wait() {
    std::vector<pollfd> fds{{signals_, POLLIN, 0}};
    Instant until = std::min({check_until_, next_until_, start_at_, alive_at_,
                              quarantine_changes_at_, forget_previous_at_});
    const auto add = [&](const Node& node) {
        if (!node) return;
        fds.push_back({node->control(), POLLIN, 0});
        until = std::min(until, node->look_at());
    };
    add(current_);
    add(next_);
    std::ranges::for_each(leaving_, add);
    ::poll(fds.data(), fds.size(), milliseconds_until(until, launcher_now()));
}

void LauncherLoop::on_signal(int signal) {
    switch (signal) {
        case SIGCHLD:
            return;
        case SIGUSR1:
            log_info("everything is let out of quarantine");
            quarantine_.release_all();
            return publish_quarantine();
        case SIGUSR2:
            upgrade_wanted_ = true;
            return;
        case SIGHUP:
            // A terminal that goes away means the end; a service manager means an upgrade.
            if (has_terminal_) return stop_all();
            upgrade_wanted_ = true;
            return;
        default:
            return stop_all();
    }
}

void LauncherLoop::stop_all() {
    const bool again = std::exchange(stopping_, true);
    if (!again) manager_.stopping();
    if (check_ > 0) ::kill(check_, SIGKILL);
    const auto stop = [&](const Node& node) {
        if (!node) return;
        again ? node->kill() : node->stop(options_.stop_grace);
    };
    stop(current_);
    stop(next_);
    std::ranges::for_each(leaving_, stop);
}

/// Looks after every child: what it says, whether it has ended.
void LauncherLoop::collect() {
    std::erase_if(leaving_, [](const Node& node) {
        node->listen();
        return node->ended().has_value();
    });
    std::erase_if(helpers_, [](pid_t helper) { return ::waitpid(helper, nullptr, WNOHANG) != 0; });
    if (leaving_.empty() && current_ && current_->page()) current_->page()->predecessor.store(0);
    if (int status = 0; check_ > 0 && ::waitpid(check_, &status, WNOHANG) == check_) {
        check_ = 0;
        check_until_ = Instant::max();
        if (!stopping_) on_check_ended(status);
    }
    if (next_) {
        next_->listen();
        if (std::optional<int> status = next_->ended()) {
            on_next_ended(*status);
        } else if (next_->ready()) {
            on_next_ready();
        }
    }
    if (!current_) return;
    current_->listen();
    if (std::optional<int> status = current_->ended()) {
        on_current_ended(*status);
    } else if (current_->ready() && !announced_) {
        on_ready();
    }
}

void LauncherLoop::on_clock() {
    const Instant now = launcher_now();
    for (const Node& node : leaving_) node->look(now);
    if (next_) next_->look(now);
    if (current_) current_->look(now);
    if (now >= check_until_) {
        check_until_ = Instant::max();
        ::kill(check_, SIGKILL);
    }
    if (now >= next_until_) {
        next_until_ = Instant::max();
        if (next_) next_->kill();
    }
    if (now >= forget_previous_at_) {
        forget_previous_at_ = Instant::max();
        ::close(std::exchange(previous_, -1));
    }
    if (now >= quarantine_changes_at_) publish_quarantine();
    if (now >= start_at_ && !stopping_ && !start_current()) finish(1);
    if (now >= alive_at_) {
        alive_at_ = now + manager_.alive_every();
        if (!current_ || !current_->hanging()) manager_.alive();
    }
}

bool LauncherLoop::start_current() {
    start_at_ = Instant::max();
    announced_ = false;
    current_ = NodeProcess::start(listener_, options_.hangs);
    if (!current_) {
        log_error("no node can be started", {{"reason", ::strerror(errno)}});
        return false;
    }
    publish_quarantine();
    return true;
}

void LauncherLoop::on_ready() {
    announced_ = true;
    // After an upgrade it is this node, too, that must prove that the new program stays up.
    if (can_roll_back() && forget_previous_at_ == Instant::max())
        forget_previous_at_ = launcher_now() + options_.rollback_within;
    manager_.ready("serving");
}

void LauncherLoop::on_current_ended(int status) {
    const Node ended = std::exchange(current_, nullptr);
    if (stopping_) {
        stop_status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
        return;
    }
    const bool by_itself = WIFEXITED(status) && (!ended->ready() || WEXITSTATUS(status) == 0);
    if (next_) {
        // In the middle of an upgrade: the new node is the one to count on now.
        if (!by_itself) report(*ended, status);
        return on_next_ready();
    }
    if (by_itself) {
        if (!roll_back(how_ended(status))) finish(WEXITSTATUS(status));
        return;
    }
    report(*ended, status);
    const Instant now = launcher_now();
    const RestartPolicy::Decision decision = policy_.ended(ended->started(), now);
    if (decision.delay > Duration::zero() && roll_back("the new program does not stay up")) return;
    if (decision.give_up) {
        log_error("giving up: no node stays up");
        return finish(1);
    }
    if (decision.delay > Duration::zero()) {
        log_warning("waiting before the next start", {{"delay", decision.delay}});
        manager_.status("waiting before the next start");
    }
    start_at_ = now + decision.delay;
}

void LauncherLoop::report(const NodeProcess& node, int status) {
    CrashReport report;
    report.at = system_now();
    report.uptime = launcher_now() - node.started();
    report.how = how_ended(status);
    report.note = node.note();
    report.said = node.said();
    report.in_flight = node.in_flight();
    const std::string path =
        options_.crash_folder.empty() ? "" : keep_crash_report(options_.crash_folder, report);
    if (!path.empty()) helpers_.push_back(symbolise_crash_report(path));
    std::string work;
    if (node.page()) {
        const NodePage::Slot& crashed = node.page()->crashed;
        work = crashed.text.get();
        const auto* caught = quarantine_.crashed(launcher_now(), crashed.key.load(), work);
        if (caught) {
            log_error("this crashed the node again and again and is in quarantine",
                      {{"work", caught->text}, {"for", caught->term}});
            publish_quarantine();
        }
    }
    log_error("the node ended unexpectedly; starting it again",
              {{"how", report.how}, {"work", work}, {"report", path}});
    manager_.status("starting again after a crash");
}

/// Every node that serves, or will, knows what not to do.
void LauncherLoop::publish_quarantine() {
    const Instant now = launcher_now();
    const std::vector<Quarantine::Entry> active = quarantine_.active(now);
    quarantine_changes_at_ = quarantine_.next_release(now);
    for (const Node* node : {&current_, &next_}) {
        NodePage* page = *node ? (*node)->page() : nullptr;
        if (!page) continue;
        const std::size_t count = std::min(active.size(), NodePage::most_quarantined);
        for (std::size_t i = 0; i < count; ++i) {
            page->quarantined[i].key.store(active[i].key);
            page->quarantined[i].until.store(active[i].until.ns);
        }
        page->quarantined_count.store(static_cast<std::uint32_t>(count));
    }
}

}  // namespace bennu
