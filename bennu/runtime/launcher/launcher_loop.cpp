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
      listener_(out_of_the_way(listener)),
      quarantine_(options.quarantine) {
    sigset_t handled;
    sigemptyset(&handled);
    for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD}) {
        // A shell may have started us with some ignored; ignored signals never arrive here.
        if (signal != SIGHUP) ::signal(signal, SIG_DFL);
        sigaddset(&handled, signal);
    }
    ::sigprocmask(SIG_BLOCK, &handled, nullptr);
    signals_ = out_of_the_way(::signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK));
    if (int terminal = ::open("/dev/tty", O_RDONLY | O_CLOEXEC); terminal >= 0) {
        has_terminal_ = true;
        ::close(terminal);
    }
    if (manager_.alive_every() > Duration::zero()) alive_at_ = launcher_now();
    previous_ = out_of_the_way(descriptor_of(given, "previous"));
    const auto seed = static_cast<std::uint64_t>(::getpid());
    for (unsigned worker = 0; worker < std::clamp(options.workers, 1U, 200U); ++worker)
        workers_.push_back({.policy = RestartPolicy(options.restarts, seed + worker)});
    take_over(take_handover(), given);
}

void LauncherLoop::take_over(const Handover& handover, const NamedDescriptors& given) {
    for (std::size_t i = 0; i < handover.nodes.size(); ++i) {
        if (handover.nodes[i] == 0) continue;
        Node node =
            NodeProcess::adopt(handover.nodes[i], descriptor_of(given, fmt::format("control{}", i)),
                               descriptor_of(given, fmt::format("page{}", i)), options_.hangs);
        announced_ = true;
        if (i < workers_.size()) {
            workers_[i].current = std::move(node);
        } else {
            // There are fewer workers now; it ends with the others that are replaced.
            node->stop(options_.stop_grace);
            leaving_.push_back(std::move(node));
        }
    }
    hub_.adopt(handover, given, options_.hangs);
    if (!options_.hub) hub_.stop(options_.stop_grace);
    if (options_.hub && workers_.size() > 1 && hub_.address().empty()) {
        if (Result<> opened = hub_.open(); !opened)
            log_error("the nodes cannot talk to each other", {{"reason", opened.error()}});
    }
    if (handover.step == Handover::Step::rolled_back)
        manager_.ready("serving; an upgrade was undone");
    if (handover.step == Handover::Step::upgrade && announced_) begin_upgrade();
}

int LauncherLoop::run() {
    hub_.look(launcher_now(), options_.hangs);
    for (std::size_t i = 0; i < workers_.size(); ++i) {
        if (!workers_[i].current && !workers_[i].next && !start_current(i)) return 1;
    }
    while (!result_) {
        wait();
        signalfd_siginfo info{};
        while (::read(signals_, &info, sizeof(info)) == sizeof(info))
            on_signal(static_cast<int>(info.ssi_signo));
        collect();
        on_clock();
        begin_wanted_upgrade();
        if (stopping_ && nobody_left()) {
            if (hub_.running()) hub_.kill();
            result_ = stop_status_;
        }
    }
    return *result_;
}

template <typename F>
void LauncherLoop::each_node(F&& use) {
    for (Worker& worker : workers_) {
        if (worker.current) use(*worker.current);
        if (worker.next) use(*worker.next);
    }
    for (const Node& node : leaving_) use(*node);
}

bool LauncherLoop::all_ready() const {
    return std::ranges::all_of(
        workers_, [](const Worker& worker) { return worker.current && worker.current->ready(); });
}

bool LauncherLoop::nobody_left() const {
    return leaving_.empty() && std::ranges::none_of(workers_, [](const Worker& worker) {
               return worker.current || worker.next;
           });
}

void LauncherLoop::wait() {
    std::vector<pollfd> fds{{signals_, POLLIN, 0}, {hub_.control(), POLLIN, 0}};
    Instant until = std::min({check_until_, next_until_, alive_at_, quarantine_changes_at_,
                              forget_previous_at_, hub_.look_at()});
    for (const Worker& worker : workers_) until = std::min(until, worker.start_at);
    each_node([&](NodeProcess& node) {
        fds.push_back({node.control(), POLLIN, 0});
        until = std::min(until, node.look_at());
    });
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
    for (Worker& worker : workers_) worker.start_at = Instant::max();
    each_node([&](NodeProcess& node) { again ? node.kill() : node.stop(options_.stop_grace); });
}

/// The whole ends with this status, as soon as every node has.
void LauncherLoop::finish(int status) {
    if (!stopping_) stop_all();
    stop_status_ = status;
}

/// Looks after every child: what it says, whether it has ended.
void LauncherLoop::collect() {
    std::erase_if(leaving_, [](const Node& node) {
        node->listen();
        return node->ended().has_value();
    });
    std::erase_if(helpers_, [](pid_t helper) { return ::waitpid(helper, nullptr, WNOHANG) != 0; });
    if (int status = 0; check_ > 0 && ::waitpid(check_, &status, WNOHANG) == check_) {
        check_ = 0;
        check_until_ = Instant::max();
        if (!stopping_) on_check_ended(status);
    }
    for (std::size_t i = 0; i < workers_.size(); ++i) {
        if (!workers_[i].next) continue;
        workers_[i].next->listen();
        if (std::optional<int> status = workers_[i].next->ended()) on_next_ended(i, *status);
    }
    if (upgrading() && std::ranges::all_of(workers_, [](const Worker& worker) {
            return worker.next && worker.next->ready();
        })) {
        let_next_serve();
    }
    for (std::size_t i = 0; i < workers_.size(); ++i) {
        if (!workers_[i].current) continue;
        if (leaving_.empty() && workers_[i].current->page())
            workers_[i].current->page()->predecessor.store(0);
        workers_[i].current->listen();
        if (std::optional<int> status = workers_[i].current->ended()) on_current_ended(i, *status);
    }
    if (!announced_ && all_ready()) announce();
}

void LauncherLoop::on_clock() {
    const Instant now = launcher_now();
    each_node([&](NodeProcess& node) { node.look(now); });
    hub_.look(now, options_.hangs);
    if (now >= check_until_) {
        check_until_ = Instant::max();
        ::kill(check_, SIGKILL);
    }
    if (now >= next_until_) {
        next_until_ = Instant::max();
        if (!stopping_)
            give_up_upgrade("the nodes of the new program did not become ready in time");
    }
    if (now >= forget_previous_at_) {
        forget_previous_at_ = Instant::max();
        ::close(std::exchange(previous_, -1));
    }
    if (now >= quarantine_changes_at_) publish_quarantine();
    for (std::size_t i = 0; i < workers_.size(); ++i) {
        if (now >= workers_[i].start_at && !stopping_ && !start_current(i)) finish(1);
    }
    if (now >= alive_at_) {
        alive_at_ = now + manager_.alive_every();
        bool hanging = false;
        for (const Worker& worker : workers_)
            hanging = hanging || (worker.current && worker.current->hanging());
        if (!hanging) manager_.alive();
    }
}

LauncherLoop::Node LauncherLoop::start_node(std::size_t worker) {
    return NodeProcess::start(listener_,
                              {.worker = static_cast<unsigned>(worker),
                               .workers = static_cast<unsigned>(workers_.size()),
                               .hub_address = hub_.address(),
                               .hub_token = hub_.token()},
                              options_.hangs);
}

bool LauncherLoop::start_current(std::size_t worker) {
    workers_[worker].start_at = Instant::max();
    announced_ = false;
    workers_[worker].current = start_node(worker);
    if (!workers_[worker].current) {
        log_error("no node can be started", {{"reason", ::strerror(errno)}});
        return false;
    }
    publish_quarantine();
    return true;
}

void LauncherLoop::announce() {
    announced_ = true;
    // After an upgrade it is these nodes, too, that must prove that the new program stays up.
    if (can_roll_back() && forget_previous_at_ == Instant::max())
        forget_previous_at_ = launcher_now() + options_.rollback_within;
    manager_.ready("serving");
}

void LauncherLoop::on_current_ended(std::size_t index, int status) {
    Worker& worker = workers_[index];
    const Node ended = std::exchange(worker.current, nullptr);
    if (stopping_) {
        if (stop_status_ == 0) stop_status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
        return;
    }
    const bool by_itself = WIFEXITED(status) && (!ended->ready() || WEXITSTATUS(status) == 0);
    if (upgrading()) {
        // In the middle of an upgrade: the new nodes are the ones to count on now.
        if (!by_itself) report(*ended, status);
        return;
    }
    if (by_itself) {
        roll_back(how_ended(status));
        return finish(WEXITSTATUS(status));
    }
    report(*ended, status);
    const Instant now = launcher_now();
    const RestartPolicy::Decision decision = worker.policy.ended(ended->started(), now);
    if (decision.delay > Duration::zero()) roll_back("the new program does not stay up");
    const bool others_serve = std::ranges::any_of(
        workers_, [](const Worker& other) { return other.current && other.current->ready(); });
    if (decision.give_up && !others_serve) {
        log_error("giving up: no node stays up");
        return finish(1);
    }
    if (decision.delay > Duration::zero()) {
        log_warning("waiting before the next start", {{"delay", decision.delay}});
        manager_.status("waiting before the next start");
    }
    worker.start_at = now + decision.delay;
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
    each_node([&](NodeProcess& node) {
        NodePage* page = node.page();
        if (!page) return;
        const std::size_t count = std::min(active.size(), NodePage::most_quarantined);
        for (std::size_t i = 0; i < count; ++i) {
            page->quarantined[i].key.store(active[i].key);
            page->quarantined[i].until.store(active[i].until.ns);
        }
        page->quarantined_count.store(static_cast<std::uint32_t>(count));
    });
}

}  // namespace bennu
