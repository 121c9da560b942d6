#include "bennu/runtime/simulation/world.hpp"

#include <fmt/format.h>

#include "bennu/base/events.hpp"
#include "bennu/runtime/insight/process_info.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/runtime/simulation/executor.hpp"

namespace bennu::detail {

namespace {

constinit thread_local SimWorld* current_world = nullptr;

std::uint64_t mixed(std::uint64_t value) {
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
    return value ^ (value >> 31);
}

FaultSource source_of(const SimOptions& options) {
    if (options.plan) return FaultSource(*options.plan);
    return FaultSource(options.seed, options.faults);
}

bool allocations_fail(const SimOptions& options) {
    if (!options.plan) return options.faults.failed_allocations > 0;
    return std::any_of(options.plan->begin(), options.plan->end(), [](const SimFault& fault) {
        return fault.kind == FaultKind::failed_allocation;
    });
}

bool may_strike(const FaultOptions& options, const ProcessInfo& info) {
    return options.victim ? options.victim(info) : info.name != "main";
}

std::string label(const ProcessInfo& info) {
    return fmt::format("{} {}{}{}", info.pid.to_string(), info.type, info.name.empty() ? "" : " ",
                       info.name);
}

}  // namespace

SimWorld* SimWorld::current() {
    return current_world;
}

SimWorld::SimWorld(SimOptions options, std::uint32_t run)
    : options_(std::move(options)),
      faults_(source_of(options_)),
      network_(options_.seed, options_.network, faults_),
      observer_(network_,
                options_.trace > 0 ? std::make_shared<SimTrace>(options_.trace) : nullptr),
      outer_(std::exchange(current_world, this)) {
    faults_.run = run;
    faults_.on_strike = [this](const SimFault& fault) {
        Shard* shard = Shard::current();
        observer_.fault(fault, struck_ ? struck_ : shard ? shard->running() : Pid());
    };
}

SimWorld::~SimWorld() {
    current_world = outer_;
}

SimOutcome SimWorld::run(Function<Task<Result<>>()> main) {
    runtime_ = std::make_unique<Runtime>(
        options_.shards, options_.seed, [this](std::uint8_t) { return network_.make_reactor(); },
        [this](ExecutorOptions executor) {
            return make_sim_executor(network_, std::move(executor));
        });
    for (unsigned i = 0; i < options_.shards; ++i) runtime_->shard(i).observe(&observer_);
    runtime_->start_main(std::move(main), RuntimeOptions().shutdown_grace);
    if (allocations_fail(options_)) {
        // What is made once per program would count in its first run only.
        Subscription made_now = subscribe_events("runtime.simulation", [](const EventView&) {});
        hook_allocations(&before_allocation);
    }
    do {
        while (!runtime_->finished() && !hung_ && round()) hung_ = rounds_ == options_.max_rounds;
    } while (!runtime_->finished() && !hung_ && move_on());
    hook_allocations(nullptr);

    SimOutcome outcome;
    outcome.status = runtime_->finished() ? runtime_->status() : 1;
    outcome.hung = hung_;
    outcome.virtual_time = network_.since_start();
    outcome.digest = network_.digest();
    outcome.allocations = faults_.count(FaultStep::allocation);
    outcome.faults = faults_.struck();
    for (unsigned i = 0; i < options_.shards; ++i) {
        observer_.note_names(runtime_->shard(i));
        runtime_->shard(i).observe(nullptr);
    }
    outcome.trace = observer_.trace();
    runtime_.reset();
    return outcome;
}

/// Every shard takes a turn, in an order that depends on the seed and the time only: what happened
/// before (a fault more or less) leaves it as it was.
bool SimWorld::round() {
    std::uint64_t first =
        mixed(options_.seed + 0x9E3779B97F4A7C15ULL * ++rounds_ +
              0xD1B54A32D192ED03ULL * static_cast<std::uint64_t>(network_.now().ns)) %
        options_.shards;
    bool any = false;
    for (unsigned i = 0; i < options_.shards; ++i) {
        auto index = static_cast<std::size_t>((first + i) % options_.shards);
        bool ran = runtime_->shard(index).turn(Shard::Polling::always);
        network_.note(ran ? index + 1 : 0);
        any |= ran;
    }
    return any;
}

/// No shard has work left: time moves on to whatever is due next. False when nothing is.
bool SimWorld::move_on() {
    rounds_ = 0;
    const Instant start = network_.now() - network_.since_start();
    Instant next = network_.next_event();
    for (unsigned i = 0; i < options_.shards; ++i)
        next = std::min(next, runtime_->shard(i).next_deadline());
    while (true) {
        Duration moment = faults_.next_moment();
        if (moment > options_.limit || start + moment > next) break;
        network_.skip_to(start + moment);
        if (strike(faults_.take_moment())) return true;
    }
    if (next == Instant::max() || next - start > options_.limit) {
        hung_ = true;
        return false;
    }
    network_.advance(std::max(next, network_.now()));
    return true;
}

/// False when there was nothing to strike.
bool SimWorld::strike(SimFault fault) {
    std::string hit;
    switch (fault.kind) {
        case FaultKind::kill:
            return kill_one(std::move(fault));
        case FaultKind::partition:
            hit = partition_one(fault);
            if (hit.empty()) return false;
            break;
        case FaultKind::clock_jump:
            network_.move_wall_clock(fault.amount);
            break;
        case FaultKind::suspend:
            network_.skip_to(network_.now() + fault.amount);
            break;
        default:
            return false;
    }
    faults_.struck(std::move(fault), std::move(hit));
    return true;
}

bool SimWorld::kill_one(SimFault fault) {
    std::vector<ProcessInfo> candidates;
    for (unsigned i = 0; i < options_.shards; ++i) {
        Shard& shard = runtime_->shard(i);
        for (Pid pid : shard.processes()) {
            ProcessInfo info = process_info(shard, *shard.find(pid));
            if (fault.target.empty() ? may_strike(options_.faults, info)
                                     : info.name == fault.target)
                candidates.push_back(std::move(info));
        }
    }
    if (candidates.empty()) return false;
    const ProcessInfo& victim = candidates[fault.pick % candidates.size()];
    struck_ = victim.pid;
    faults_.struck(std::move(fault), label(victim));
    struck_ = {};
    Shard& shard = runtime_->shard(victim.pid.shard());
    Shard::Entered entered(shard);
    shard.exit(*shard.find(victim.pid), ExitReason::killed("simulated fault"));
    return true;
}

std::string SimWorld::partition_one(const SimFault& fault) {
    std::vector<std::uint16_t> ports = network_.listening_ports();
    if (ports.empty()) return {};
    std::uint16_t port = ports[(fault.pick >> 8) % ports.size()];
    constexpr std::array<std::pair<Cut, const char*>, 3> ways{
        {{Cut::both, "both ways"}, {Cut::inbound, "towards it"}, {Cut::outbound, "from it"}}};
    auto [cut, way] = ways[fault.pick % ways.size()];
    network_.partition(port, cut);
    network_.after(fault.amount, [this, port] { network_.heal(port); });
    return fmt::format("port {}, {}", port, way);
}

bool SimWorld::may_fail(const Process& process) {
    Shard& shard = *Shard::current();
    Pid pid = shard.pid_of(process);
    if (pid != asked_last_) {
        last_may_fail_ = may_strike(options_.faults, process_info(shard, process));
        asked_last_ = pid;
    }
    return last_may_fail_;
}

/// Counts only what the code of a process asks for while it runs: not what ends it, and nothing in
/// destructors that run because of an exception, where C++ knows no second one.
void SimWorld::before_allocation(std::size_t) {
    Shard* shard = Shard::current();
    if (!shard || !shard->running() || std::uncaught_exceptions() > 0) return;
    MustAllocate counting;
    Process* process = shard->find(shard->running());
    if (!process || !process->has(Process::running) || !current_world->may_fail(*process)) return;
    FaultSource& faults = current_world->faults_;
    auto fault = faults.step(FaultStep::allocation, current_world->network_.since_start());
    if (!fault) return;
    faults.struck(std::move(*fault), "in " + label(process_info(*shard, *process)));
    throw std::bad_alloc();
}

}  // namespace bennu::detail
