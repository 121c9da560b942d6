#include "bennu/runtime/simulation/fault_source.hpp"

#include <cmath>

namespace bennu {

namespace {

FaultKind kind_at(std::size_t index) {
    return static_cast<FaultKind>(index);
}

/// From a millisecond to `longest`; the short ones are more likely.
Duration draw_amount(Random& random, Duration longest) {
    double u = random.uniform();
    return std::chrono::milliseconds(1) +
           Duration(static_cast<std::int64_t>(static_cast<double>(longest.count()) * u * u));
}

}  // namespace

FaultSource::FaultSource(std::uint64_t seed, FaultOptions options)
    : options_(std::move(options)), drawn_(true) {
    for (std::size_t i = 0; i < fault_kinds; ++i) {
        streams_[i].random = Random(seed ^ (0xFA017'0000ULL + i) * 0x9E3779B97F4A7C15ULL);
        streams_[i].rate = options_.rate(kind_at(i));
        draw(kind_at(i));
    }
    for (std::size_t i = 0; i < fault_steps; ++i) find_next_step(static_cast<FaultStep>(i));
}

FaultSource::FaultSource(std::vector<SimFault> faults) {
    std::sort(faults.begin(), faults.end(), [](const SimFault& a, const SimFault& b) {
        return std::pair(a.at, a.step) < std::pair(b.at, b.step);
    });
    for (SimFault& fault : faults) {
        FaultKind kind = fault.kind;
        of(kind).push_back(std::move(fault));
    }
    for (std::size_t i = 0; i < fault_steps; ++i) find_next_step(static_cast<FaultStep>(i));
}

void FaultSource::draw(FaultKind kind) {
    Stream& stream = streams_[static_cast<std::size_t>(kind)];
    if (stream.rate <= 0) return;
    SimFault fault{.kind = kind};
    double gap = -std::log1p(-stream.random.uniform());
    if (strikes_at_a_moment(kind)) {
        stream.last += gap / stream.rate;
        if (stream.last > static_cast<double>(options_.until.count()) / 1e9) return;
        fault.at = Duration(static_cast<std::int64_t>(stream.last * 1e9));
    } else {
        // How many steps a chance of `rate` each takes to come true.
        double chance = std::min(stream.rate, 1.0);
        stream.last += 1 + (chance < 1 ? std::floor(gap / -std::log1p(-chance)) : 0);
        if (stream.last > 1e15) return;
        fault.step = static_cast<std::uint64_t>(stream.last);
    }
    fault.pick = stream.random.next();
    fault.amount =
        draw_amount(stream.random,
                    kind == FaultKind::clock_jump ? options_.longest_clock_jump : options_.longest);
    if (kind == FaultKind::clock_jump && stream.random.chance(0.5)) fault.amount = -fault.amount;
    of(kind).push_back(std::move(fault));
}

Duration FaultSource::next_moment() const {
    Duration next = Duration::max();
    if (drawn_ && struck_.size() >= options_.most) return next;
    for (std::size_t i = 0; i < fault_kinds && strikes_at_a_moment(kind_at(i)); ++i) {
        if (!due_[i].empty()) next = std::min(next, due_[i].front().at);
    }
    return next;
}

SimFault FaultSource::take_moment() {
    Duration next = next_moment();
    for (std::size_t i = 0;; ++i) {
        if (due_[i].empty() || due_[i].front().at != next) continue;
        SimFault fault = std::move(due_[i].front());
        due_[i].pop_front();
        draw(kind_at(i));
        return fault;
    }
}

std::optional<SimFault> FaultSource::take_step(FaultStep step, Duration now) {
    std::optional<SimFault> strikes;
    std::uint64_t count = counts_[static_cast<std::size_t>(step)];
    for (std::size_t i = 0; i < fault_kinds; ++i) {
        if (strikes_at_a_moment(kind_at(i)) || step_of(kind_at(i)) != step) continue;
        while (!due_[i].empty() && due_[i].front().step <= count) {
            if (!strikes && due_[i].front().step == count) strikes = std::move(due_[i].front());
            due_[i].pop_front();
            draw(kind_at(i));
        }
    }
    find_next_step(step);
    if (drawn_ && (now > options_.until || struck_.size() >= options_.most)) {
        next_step_[static_cast<std::size_t>(step)] = UINT64_MAX;
        return {};
    }
    return strikes;
}

void FaultSource::find_next_step(FaultStep step) {
    std::uint64_t& next = next_step_[static_cast<std::size_t>(step)];
    next = UINT64_MAX;
    for (std::size_t i = 0; i < fault_kinds; ++i) {
        if (strikes_at_a_moment(kind_at(i)) || step_of(kind_at(i)) != step || due_[i].empty())
            continue;
        next = std::min(next, due_[i].front().step);
    }
}

void FaultSource::struck(SimFault fault, std::string hit) {
    fault.hit = std::move(hit);
    fault.run = run;
    struck_.push_back(std::move(fault));
    if (on_strike) on_strike(struck_.back());
}

}  // namespace bennu
